package login

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Square is a QR code as one line of an inline SVG, so that it needs no image and takes its
// colours from the style sheet.
type Square struct {
	Side int    `json:"side"` // in modules, with the quiet zone of four on each side (ISO/IEC 18004 §6.3.8)
	Path string `json:"path"` // a stroke one module wide along each row
}

const qrQuiet = 4

func qrOf(text string) (Square, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Square{}, fmt.Errorf("draw a QR code: %w", err)
	}
	var b strings.Builder
	side := c.Bounds().Dx()
	dark := func(x, y int) bool { return x < side && c.At(x, y) == color.Black }
	for y := range side {
		for x := 0; x < side; {
			from := x
			for dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %d.5h%d", from+qrQuiet, y+qrQuiet, x-from)
				continue
			}
			x++
		}
	}
	return Square{side + 2*qrQuiet, b.String()}, nil
}
