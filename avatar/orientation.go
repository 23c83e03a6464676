package avatar

import (
	"bytes"
	"encoding/binary"
	"image"
)

// A camera writes the pixels as its sensor lies, and beside them, in EXIF, how it was held.
// Only that one number is read of all that EXIF says.

const (
	upright        = 1
	orientationTag = 0x0112
	mostEntries    = 512 // of the directory that the number is in
)

// orientation returns how the camera that took a JPEG was held, by the numbers of EXIF 2.3
// §4.6.4: 1 to 8. Whatever says nothing readable is upright.
func orientation(raw []byte) int {
	if !bytes.HasPrefix(raw, []byte(jpegBegins)) {
		return upright
	}
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
		kind, length := raw[at+1], int(binary.BigEndian.Uint16(raw[at+2:]))
		if kind == 0xda || length < 2 || at+2+length > len(raw) { // the picture itself begins, or it is cut off
			return upright
		}
		segment := raw[at+4 : at+2+length]
		if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && kind == 0xe1 {
			return orientationOf(exif)
		}
		at += 2 + length
	}
	return upright
}

// orientationOf reads the number from a TIFF header and its first directory (TIFF 6.0 §2).
func orientationOf(tiff []byte) int {
	var order binary.ByteOrder
	switch {
	case len(tiff) < 8:
		return upright
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := int(order.Uint16(tiff[at:]))
	for i := range min(entries, mostEntries) {
		entry := at + 2 + int64(i)*12
		if entry+12 > int64(len(tiff)) {
			return upright
		}
		if order.Uint16(tiff[entry:]) != orientationTag {
			continue
		}
		if n := int(order.Uint16(tiff[entry+8:])); n >= 1 && n <= 8 {
			return n
		}
		return upright
	}
	return upright
}

// turned returns a square picture as it was seen by whoever held the camera so.
func turned(from image.Image, orientation int) image.Image {
	if orientation == upright {
		return from
	}
	b := from.Bounds()
	side := b.Dx()
	to := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			u, v := x, y
			switch orientation {
			case 2: // mirrored
				u = side - 1 - x
			case 3: // upside down
				u, v = side-1-x, side-1-y
			case 4: // upside down and mirrored
				v = side - 1 - y
			case 5: // lies to the left, mirrored
				u, v = y, x
			case 6: // lies to the left
				u, v = y, side-1-x
			case 7: // lies to the right, mirrored
				u, v = side-1-y, side-1-x
			case 8: // lies to the right
				u, v = side-1-y, x
			}
			to.Set(x, y, from.At(b.Min.X+u, b.Min.Y+v))
		}
	}
	return to
}
