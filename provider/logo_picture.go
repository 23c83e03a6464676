package provider

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

const (
	logoSide   = 256     // pixels of what we serve, at most
	leastSide  = 88      // and at least: what pages show, on fine screens
	roughSide  = 1024    // pixels that the fine scaler is given; it takes memory
	maxSide    = 4096    // pixels of what we read
	maxSurface = 4 << 20 // pixels in all: a small file can unpack to gigabytes
	maxScans   = 64      // times that a JPEG goes over all of them: each takes it a few bytes, and us a while
)

var errNoPicture = errors.New("no picture that we can read")

// startOfScan cannot occur within what a scan holds (ITU-T T.81 B.1.1.5).
var startOfScan = []byte("\xff\xda")

// pictures are the formats that are read, by how their files begin. No SVG: that is a
// program, not a picture.
var pictures = []struct {
	begins string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"GIF8", gif.DecodeConfig, gif.Decode},
	{"RIFF", webp.DecodeConfig, webp.Decode},
}

// drawLogo reads a picture and draws it anew, as a square PNG of at most 256 by 256. How large it
// will become is known before it is unpacked.
func drawLogo(raw []byte) ([]byte, error) {
	for _, format := range pictures {
		if !bytes.HasPrefix(raw, []byte(format.begins)) {
			continue
		}
		size, err := format.config(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		if size.Width < 1 || size.Height < 1 || size.Width > maxSide || size.Height > maxSide || size.Width*size.Height > maxSurface {
			return nil, errNoPicture
		}
		if bytes.Count(raw, startOfScan) > maxScans && bytes.HasPrefix(raw, []byte("\xff\xd8\xff")) {
			return nil, errNoPicture
		}
		whole, err := format.decode(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		rough := fit(whole, roughSide, draw.ApproxBiLinear)
		var out bytes.Buffer
		if err := png.Encode(&out, tile(fit(rough, logoSide, draw.CatmullRom))); err != nil {
			return nil, fmt.Errorf("draw picture: %w", err)
		}
		return out.Bytes(), nil
	}
	return nil, errNoPicture
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

// tile puts a picture in the middle of a white square: it covers what it lies on, in dark
// pages too, and has the ground that logos are drawn for.
func tile(logo image.Image) image.Image {
	b := logo.Bounds()
	side := max(b.Dx(), b.Dy(), leastSide)
	to := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	at := image.Pt((side-b.Dx())/2, (side-b.Dy())/2)
	draw.Draw(to, b.Sub(b.Min).Add(at), logo, b.Min, draw.Over)
	return to
}
