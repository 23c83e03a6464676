package e2e

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// slim draws the pictures of a folder anew with the 256 colours that each has most of: a third of the size.
func slim(t *testing.T, folder string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if _, slim := picture.(*image.Paletted); slim {
			continue
		}
		often := map[color.Color]int{}
		b := picture.Bounds()
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				often[picture.At(x, y)]++
			}
		}
		colours := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return cmp.Compare(often[b], often[a]) })
		out := image.NewPaletted(b, colours[:min(len(colours), 256)])
		draw.Draw(out, b, picture, b.Min, draw.Src)
		var body bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&body, out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
