// Command bundle makes sdk/js/dist of sdk/js/src: what idp serves to browsers and what its npm package holds.
//
//	go -C tools run ./bundle            bundles, and declarations if TypeScript is installed (npm ci in e2e)
//	go -C tools run ./bundle DIRECTORY  the bundles alone, somewhere else
//
// The same sources give the same bytes, so that a test can hold what is committed against them.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const banner = "/*! idp browser SDK | Apache-2.0 */"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	sdk, err := filepath.Abs(filepath.Join("..", "sdk", "js"))
	if err != nil {
		return err
	}
	out := filepath.Join(sdk, "dist")
	if len(args) > 0 {
		out = args[0]
	}
	files, err := Bundle(filepath.Join(sdk, "src"))
	if err != nil {
		return err
	}
	if err := Write(out, files); err != nil {
		return err
	}
	if len(args) > 0 {
		return nil
	}
	table, err := Sizes(files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "SIZES.md"), table, 0o644); err != nil {
		return err
	}
	return declare(sdk, out)
}

// Bundle returns the files by name. The two that pages load have names that stay; what they share or load later is
// named by its content.
func Bundle(src string) (map[string][]byte, error) {
	var entries []string
	for _, name := range []string{"idp.ts", "components.ts"} {
		if _, err := os.Stat(filepath.Join(src, name)); err == nil {
			entries = append(entries, name)
		}
	}
	built := api.Build(api.BuildOptions{
		AbsWorkingDir: src, EntryPoints: entries, Outdir: "/", ChunkNames: "[name]-[hash]",
		Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022, Platform: api.PlatformBrowser,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		Charset: api.CharsetUTF8, Banner: map[string]string{"js": banner},
	})
	if len(built.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(built.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	files := map[string][]byte{}
	for _, f := range built.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	return files, nil
}

// Write puts the files into dir and removes scripts of earlier runs.
func Write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.js"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, still := files[filepath.Base(path)]; !still {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// declare checks the types and writes declarations beside the bundles. Without TypeScript those that are committed stay
// as they are; a test end to end compares them.
func declare(sdk, out string) error {
	tsc := filepath.Join(sdk, "..", "..", "e2e", "node_modules", "typescript", "bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		fmt.Fprintln(os.Stderr, "bundle: no TypeScript in e2e/node_modules: declarations stay as they were")
		return nil
	}
	types := filepath.Join(out, "types")
	fresh := types + ".new"
	defer os.RemoveAll(fresh)
	cmd := exec.Command("node", tsc, "--project", sdk, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", fresh)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("check types: %w", err)
	}
	if err := os.RemoveAll(types); err != nil {
		return err
	}
	return os.Rename(fresh, types)
}
