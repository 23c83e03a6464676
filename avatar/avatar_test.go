package avatar_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"idp/avatar"
)

var (
	red   = color.NRGBA{220, 20, 20, 255}
	green = color.NRGBA{20, 200, 20, 255}
	blue  = color.NRGBA{20, 20, 220, 255}
	black = color.NRGBA{0, 0, 0, 255}
)

// quarters is a picture with a colour of its own in each corner: red, green, blue and black,
// as one reads.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, [][]color.NRGBA{{red, green}, {blue, black}}[2*y/h][2*x/w])
		}
	}
	return m
}

func encoded(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := f(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func asJPEG(t *testing.T, m image.Image) []byte {
	t.Helper()
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 95}) })
}

// held puts EXIF into a JPEG that says how the camera was held, with a place beside it.
func held(raw []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.BigEndian {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, tag := range []struct{ tag, value uint16 }{{0x0100, 99}, {0x0112, orientation}} {
		tiff = order.AppendUint16(tiff, tag.tag)
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, tag.value)
		tiff = order.AppendUint16(tiff, 0)
	}
	tiff = append(tiff, "\x00\x00\x00\x00GPS 48.2082 16.3738"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	app1 := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(segment)+2))
	return slices.Concat(raw[:2], app1, segment, raw[2:])
}

func portrait(t *testing.T, raw []byte) (image.Image, []byte) {
	t.Helper()
	drawn, mediaType, err := avatar.Portrait(raw)
	if err != nil || mediaType != "image/jpeg" {
		t.Fatalf("%q %v", mediaType, err)
	}
	m, err := jpeg.Decode(bytes.NewReader(drawn))
	if err != nil {
		t.Fatal(err)
	}
	return m, drawn
}

func near(a color.Color, b color.NRGBA) bool {
	x := color.NRGBAModel.Convert(a).(color.NRGBA)
	off := func(p, q uint8) bool { return max(p, q)-min(p, q) > 40 }
	return !off(x.R, b.R) && !off(x.G, b.G) && !off(x.B, b.B)
}

func corners(m image.Image) [4]color.Color {
	s := m.Bounds().Dx()
	return [4]color.Color{m.At(s/4, s/4), m.At(3*s/4, s/4), m.At(s/4, 3*s/4), m.At(3*s/4, 3*s/4)}
}

func TestAPortraitIsTheMiddleOfAnyPictureAndNothingElseOfTheFile(t *testing.T) {
	webp, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		side int
	}{
		"png":   {asPNG(t, quarters(600, 600)), 256},
		"jpeg":  {held(asJPEG(t, quarters(2000, 1000)), binary.LittleEndian, 1), 256},
		"gif":   {encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, quarters(300, 500), nil) }), 256},
		"small": {asPNG(t, quarters(40, 60)), 40},
		"webp":  {webp, 1},
	} {
		m, drawn := portrait(t, c.raw)
		if b := m.Bounds(); b.Dx() != c.side || b.Dy() != c.side {
			t.Errorf("%s: it is %v", name, b)
		}
		if bytes.Contains(drawn, []byte("GPS")) || bytes.Contains(drawn, []byte("Exif")) {
			t.Errorf("%s: what the file said of its place came along", name)
		}
		if got := corners(m); name != "webp" && (!near(got[0], red) || !near(got[1], green) || !near(got[2], blue) || !near(got[3], black)) {
			t.Errorf("%s: its corners are %v", name, got)
		}
	}
}

func TestAPortraitIsTheRightWayUp(t *testing.T) {
	upright := quarters(64, 64)
	// How the sensor saw what is upright, held in each of the eight ways (EXIF 2.3 §4.6.4): the
	// colours of its corners, as one reads.
	for orientation, saw := range map[uint16][4]color.NRGBA{
		0: {red, green, blue, black}, 1: {red, green, blue, black}, 9: {red, green, blue, black},
		2: {green, red, black, blue}, 3: {black, blue, green, red}, 4: {blue, black, red, green},
		5: {red, blue, green, black}, 6: {green, black, red, blue}, 7: {black, green, blue, red}, 8: {blue, red, black, green},
	} {
		seen := image.NewNRGBA(upright.Bounds())
		for y := range 64 {
			for x := range 64 {
				seen.Set(x, y, saw[2*(2*y/64)+2*x/64])
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			m, _ := portrait(t, held(asJPEG(t, seen), order, orientation))
			if got := corners(m); !near(got[0], red) || !near(got[1], green) || !near(got[2], blue) || !near(got[3], black) {
				t.Errorf("held as %d (%v): its corners are %v", orientation, order, got)
			}
		}
	}
}

func TestWhatExifSaysWrongIsPassedOver(t *testing.T) {
	whole := held(asJPEG(t, quarters(64, 64)), binary.BigEndian, 6)
	at := bytes.Index(whole, []byte("MM\x00*"))
	for name, change := range map[string]func([]byte){
		"no byte order":         func(b []byte) { copy(b[at:], "XX") },
		"a directory far away":  func(b []byte) { binary.BigEndian.PutUint32(b[at+4:], 1<<31) },
		"more than there is":    func(b []byte) { binary.BigEndian.PutUint16(b[at+8:], 65535); b[at+23] = 0 },
		"an overflowing offset": func(b []byte) { binary.BigEndian.PutUint32(b[at+4:], 1<<32-1) },
	} {
		raw := slices.Clone(whole)
		change(raw)
		if m, _ := portrait(t, raw); !near(corners(m)[1], green) {
			t.Errorf("%s: it was turned", name)
		}
	}
	if m, _ := portrait(t, whole); near(corners(m)[1], green) {
		t.Fatal("nothing turns it, so this proves nothing")
	}
}

// bomb is a small PNG that says it is huge.
func bomb(w, h uint32) []byte {
	head := make([]byte, 17)
	copy(head, "IHDR")
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	head[12], head[13] = 8, 6
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoHarmlessPictureIsNotDrawn(t *testing.T) {
	small := asPNG(t, quarters(4, 4))
	patient := asJPEG(t, quarters(8, 8))
	patient = append(patient, bytes.Repeat([]byte("\xff\xda"), 65)...) // goes over it again and again
	for name, raw := range map[string][]byte{
		"a program":            []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a page":               []byte("<!doctype html>" + strings.Repeat(" ", 100)),
		"nothing":              nil,
		"half a picture":       small[:len(small)/2],
		"too wide":             asPNG(t, image.NewGray(image.Rect(0, 0, 4097, 1))),
		"too large in all":     asPNG(t, image.NewGray(image.Rect(0, 0, 4000, 1200))),
		"larger than a number": bomb(1<<31-1, 1<<31-1),
		"drawn over and over":  patient,
	} {
		if _, _, err := avatar.Portrait(raw); err == nil {
			t.Errorf("%s is a portrait", name)
		}
		if _, err := avatar.Tile(raw); err == nil {
			t.Errorf("%s is a tile", name)
		}
	}
	if _, _, err := avatar.Portrait([]byte("<svg/>")); !errors.Is(err, avatar.ErrPicture) {
		t.Errorf("a program: %v", err)
	}
}

func TestHolesInAPortraitAreWhite(t *testing.T) {
	if m, _ := portrait(t, asPNG(t, image.NewNRGBA(image.Rect(0, 0, 30, 30)))); !near(m.At(15, 15), color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("it is %v", m.At(15, 15))
	}
}

func FuzzNothingPanics(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*\x00\x00\x00\x08"))
	f.Add(bomb(10, 10))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if drawn, _, err := avatar.Portrait(raw); err == nil {
			if _, err := jpeg.DecodeConfig(bytes.NewReader(drawn)); err != nil {
				t.Fatalf("what was drawn cannot be read: %v", err)
			}
		}
	})
}
