package account_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"idp/account"
	"idp/identity"
	"idp/internal/problem"
	"idp/job"
)

// gallery is a provider's server with one picture.
func (d *desk) gallery(answer http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			d.Errorf("it was told %v", r.Header)
		}
		answer(w, r)
	}))
	d.Cleanup(s.Close)
	return s, &asked
}

func painted(w http.ResponseWriter, _ *http.Request) {
	_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 400, 300)))
}

// work does the jobs that wait, and returns what the last one said.
func (d *desk) work() (err error) {
	d.Helper()
	for _, j := range d.jobs.waiting {
		if j.Kind != account.PictureJob {
			d.Fatalf("a job of kind %s", j.Kind)
		}
		err = d.pictures.Fetch(d.Context(), j.Args)
	}
	d.jobs.waiting = nil
	return err
}

func (d *desk) wants(u identity.UserID, address string) error {
	d.Helper()
	d.must(d.pictures.Want(d.Context(), u, "google", address))
	return d.work()
}

func (d *desk) profile(u identity.UserID) identity.Profile {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	return p.User.Profile
}

func TestAProvidersPictureIsFetchedOnceDrawnAnewAndServedFromHere(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		there, asked := d.gallery(painted)
		d.must(d.pictures.Want(t.Context(), ann, "google", there.URL+"/photo?sig=marked"))
		if args := d.jobs.waiting[0].Args; bytes.Contains(args, []byte("marked")) {
			t.Errorf("the address waits in plain: %s", args)
		}
		d.must(d.work())
		d.must(d.wants(ann, there.URL+"/another"))
		picture := d.profile(ann).Picture
		path, ours := strings.CutPrefix(picture, d.server.URL)
		if !ours || asked.Load() != 1 {
			t.Fatalf("it is at %q, asked for %d times", picture, asked.Load())
		}
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200, `src="`+path+`"`, `id="picture-remove"`)
		b.Get(path).Want(200)
		m, err := jpeg.Decode(strings.NewReader(b.Page))
		if err != nil || m.Bounds().Dx() != 256 || m.Bounds().Dy() != 256 {
			t.Fatalf("%v %v", m, err)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=31536000, immutable",
			"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "cross-origin",
		} {
			if got := b.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		b.Get("/avatars/picture_of_nobody").Want(404)
		b.Get("/account").Post("/account/export").Want(200)
		var x account.Export
		d.must(json.Unmarshal([]byte(b.Page), &x))
		if x.Picture == nil || x.Picture.Type != "image/jpeg" || x.Picture.Source != "google" || len(x.Picture.Bytes) < 100 {
			t.Errorf("the export has %+v", x.Picture)
		}
	})
}

func TestWhoRemovedTheirPictureKeepsNone(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		there, asked := d.gallery(painted)
		d.must(d.wants(ann, there.URL))
		path := strings.TrimPrefix(d.profile(ann).Picture, d.server.URL)
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200).Post("/account/picture/remove").Want(303, "/account?done=picture")
		b.Get(b.To).Want(200, "Your picture is gone").WantNot(`id="picture-remove"`)
		b.Get(path).Want(404)
		d.must(d.wants(ann, there.URL))
		if p := d.profile(ann).Picture; p != "" || asked.Load() != 1 {
			t.Errorf("it came back: %q, after %d fetches", p, asked.Load())
		}
		b.Get("/account").Post("/account/export").Want(200).WantNot(`"picture":`)
	})
}

func TestAPictureOfTheirOwnIsNotReplaced(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		p, err := d.people.Person(t.Context(), ann)
		d.must(err)
		p.User.Profile.Picture = "https://elsewhere.example/ann.png"
		d.must(d.people.SaveUser(t.Context(), p.User))
		there, asked := d.gallery(painted)
		d.must(d.wants(ann, there.URL))
		if got := d.profile(ann).Picture; got != p.User.Profile.Picture || asked.Load() != 0 {
			t.Errorf("it is %q, after %d fetches", got, asked.Load())
		}
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200, `id="picture-remove"`).WantNot("elsewhere.example")
		if a := d.call(b, "DELETE", "/me/picture", ""); a.status != http.StatusNoContent {
			d.Errorf("%+v", a)
		}
		d.must(d.wants(ann, there.URL))
		if got := d.profile(ann).Picture; got != "" {
			t.Errorf("after it was removed it is %q", got)
		}
	})
}

func TestAPictureThatCannotBeHadIsNone(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		program, asked := d.gallery(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
		})
		if err := d.wants(ann, program.URL); err != nil { // trying again would not help
			t.Errorf("a program: %v", err)
		}
		elsewhere, _ := d.gallery(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, program.URL, http.StatusFound) })
		if err := d.wants(ann, elsewhere.URL); err == nil || asked.Load() != 1 {
			t.Errorf("a redirect: %v, followed %d times", err, asked.Load()-1)
		}
		for _, address := range []string{"", "x", "javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AA==", "https://x/" + strings.Repeat("a", 2048)} {
			d.must(d.pictures.Want(t.Context(), ann, "google", address))
		}
		if len(d.jobs.waiting) != 0 {
			t.Errorf("%d of what is no address wait", len(d.jobs.waiting))
		}
		if err := d.wants(ann, "https://169.254.169.254/latest/meta-data"); err == nil {
			t.Error("the inside was asked")
		}
		d.must(d.pictures.Want(t.Context(), ann, "google", elsewhere.URL))
		d.must(d.pictures.Fetch(job.OnLast(t.Context()), d.jobs.waiting[0].Args)) // nobody is bothered with it
		d.jobs.waiting = nil
		d.must(d.wants("user_nobody", program.URL))
		if p := d.profile(ann).Picture; p != "" {
			t.Errorf("it is %q", p)
		}
	})
}

func TestAPictureGoesWithItsPerson(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		there, _ := d.gallery(painted)
		d.must(d.wants(ann, there.URL))
		id := strings.TrimPrefix(d.profile(ann).Picture, d.server.URL+"/avatars/")
		d.must(d.self.Erase(t.Context(), ann, "operator:cli"))
		if _, err := d.pictures.Store.Picture(t.Context(), id); !problem.Is(err, problem.NotFound) {
			t.Errorf("it is still there: %v", err)
		}
	})
}
