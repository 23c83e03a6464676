// Command spa is an example: a page that signs people in with idp, and an API that believes the
// tokens that page sends. Copy what you need.
//
//	page/       the page: plain HTML, CSS and one module; the components come from idp
//	app.go      serves the page, under a strict Content-Security-Policy
//	api.go      the API: who is asking, and their notes
//	origin.go   at which address the page may be opened
//	main.go     flags, and what is printed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3000", "address that this app answers at; port 0 takes a free one")
	issuer := flag.String("issuer", "http://localhost:8080", "where idp is: its issuer, without a slash at the end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *issuer); err != nil {
		fmt.Fprintln(os.Stderr, "spa:", err)
		os.Exit(1)
	}
}

// run serves the app until ctx ends.
func run(ctx context.Context, listen, issuer string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	origin, err := originOf(listener.Addr(), issuer)
	if err != nil {
		return err
	}
	app, err := newApp(issuer, origin)
	if err != nil {
		return err
	}
	fmt.Printf("Notes, an example app: %s\n  signs people in with %s\n  takes tokens that were made for pages of %s\n", origin, issuer, origin)
	if err := reachable(ctx, issuer); err != nil {
		fmt.Printf("\n%s does not answer: %v\nStart idp there (go run ./cmd/idp serve), or name another with -issuer. The page works as soon as it answers.\n", issuer, err)
	}

	server := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// reachable asks idp for its keys, which is all that the API ever asks of it.
func reachable(ctx context.Context, issuer string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/jwks.json", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", req.URL, res.Status)
	}
	return nil
}
