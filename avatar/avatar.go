// Package avatar draws pictures anew. What people, their providers and relying parties bring
// as a picture is a file by a stranger: it may be huge once unpacked, carry where it was taken,
// or be something else altogether. What leaves this room is pixels that we encoded ourselves,
// small and square, and nothing of the file.
//
// It reads PNG, JPEG, GIF (its first frame) and WebP. No SVG: that is a program, not a picture.
package avatar

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// The limits of what is read and drawn.
const (
	Side = 256 // pixels of what comes out, at most

	leastSide  = 88      // of a tile, at least: what pages show, on fine screens
	roughSide  = 1024    // pixels that the fine scaler is given; it takes memory
	maxSide    = 4096    // pixels of what is read
	maxSurface = 4 << 20 // pixels in all: a small file can unpack to gigabytes
	maxScans   = 64      // times that a JPEG goes over all of them: each takes it a few bytes, and us a while
	quality    = 88      // of a portrait, which is a JPEG
)

// ErrPicture says that a file holds no picture that is read here, or one that is too large.
var ErrPicture = errors.New("no picture that we can read")

// startOfScan cannot occur within what a scan holds (ITU-T T.81 B.1.1.5).
var startOfScan = []byte("\xff\xda")

const jpegBegins = "\xff\xd8\xff"

// formats are what is read, by how the files begin.
var formats = []struct {
	begins string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{jpegBegins, jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8", gif.DecodeConfig, gif.Decode},
	{"RIFF", webp.DecodeConfig, webp.Decode},
}

// Portrait returns the middle of a picture as a square JPEG of at most 256 by 256 pixels, the
// right way up, and its media type. What cannot be read is an error, ErrPicture or another.
func Portrait(raw []byte) (drawn []byte, mediaType string, err error) {
	whole, err := read(raw)
	if err != nil {
		return nil, "", err
	}
	square := turned(fit(crop(whole), Side, draw.CatmullRom), orientation(raw))
	to := image.NewNRGBA(image.Rect(0, 0, square.Bounds().Dx(), square.Bounds().Dy()))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src) // a JPEG has no holes
	draw.Draw(to, to.Bounds(), square, square.Bounds().Min, draw.Over)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: quality}); err != nil {
		return nil, "", fmt.Errorf("draw picture: %w", err)
	}
	return out.Bytes(), "image/jpeg", nil
}

// Tile returns all of a picture in the middle of a white square, as a PNG of at most 256 by 256
// pixels: it covers what it lies on, in dark pages too, and has the ground that logos are drawn for.
func Tile(raw []byte) ([]byte, error) {
	whole, err := read(raw)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, tile(fit(whole, Side, draw.CatmullRom))); err != nil {
		return nil, fmt.Errorf("draw picture: %w", err)
	}
	return out.Bytes(), nil
}

// read unpacks a picture, to at most 1024 pixels on its longer side. How large it will become
// is known before it is unpacked.
func read(raw []byte) (image.Image, error) {
	for _, format := range formats {
		if !bytes.HasPrefix(raw, []byte(format.begins)) {
			continue
		}
		size, err := format.config(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		if size.Width < 1 || size.Height < 1 || size.Width > maxSide || size.Height > maxSide || size.Width*size.Height > maxSurface {
			return nil, ErrPicture
		}
		if format.begins == jpegBegins && bytes.Count(raw, startOfScan) > maxScans {
			return nil, ErrPicture
		}
		whole, err := format.decode(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		return fit(whole, roughSide, draw.ApproxBiLinear), nil
	}
	return nil, ErrPicture
}

// fit scales a picture down until no side is longer than that.
func fit(from image.Image, side int, by draw.Scaler) image.Image {
	w, h := from.Bounds().Dx(), from.Bounds().Dy()
	if w <= side && h <= side {
		return from
	}
	longer := max(w, h)
	to := image.NewNRGBA(image.Rect(0, 0, max(1, w*side/longer), max(1, h*side/longer)))
	by.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}

// crop returns the square in the middle of a picture.
func crop(from image.Image) image.Image {
	b := from.Bounds()
	side := min(b.Dx(), b.Dy())
	to := image.NewNRGBA(image.Rect(0, 0, side, side))
	at := b.Min.Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	draw.Draw(to, to.Bounds(), from, at, draw.Src)
	return to
}

// tile puts a picture in the middle of a white square.
func tile(logo image.Image) image.Image {
	b := logo.Bounds()
	side := max(b.Dx(), b.Dy(), leastSide)
	to := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	at := image.Pt((side-b.Dx())/2, (side-b.Dy())/2)
	draw.Draw(to, b.Sub(b.Min).Add(at), logo, b.Min, draw.Over)
	return to
}
