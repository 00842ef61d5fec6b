// Package web is the dashboard: its sources, written in TypeScript, and their
// build in dist, which is part of the binary.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var built embed.FS

// Root is the path that the dashboard is built to be served at.
const Root = "/app/"

// policy lets the dashboard load nothing from elsewhere but the pictures that
// messages carry.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: http: data:; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// file is one built file in both forms, made once: answers cost no compression.
type file struct {
	kind          string
	plain, packed []byte
	tag           string
	lasting       bool // its name changes with its content
}

// Dashboard serves the dashboard under [Root]. Every path that is no file is a
// screen, which index.html draws.
type Dashboard struct {
	files map[string]file
	index file
}

// New reads the built files.
func New() (*Dashboard, error) {
	d := &Dashboard{files: map[string]file{}}
	err := fs.WalkDir(built, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := built.ReadFile(name)
		if err != nil {
			return err
		}
		made, err := newFile(name, content)
		d.files[strings.TrimPrefix(name, "dist/")] = made
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the dashboard's files: %w", err)
	}
	index, ok := d.files["index.html"]
	if !ok {
		return nil, fmt.Errorf("reading the dashboard's files: web/dist has no index.html; run make web")
	}
	d.index = index
	return d, nil
}

func newFile(name string, content []byte) (file, error) {
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := writer.Write(content); err != nil {
		return file{}, err
	}
	if err := writer.Close(); err != nil {
		return file{}, err
	}
	sum := sha256.Sum256(content)
	return file{
		kind: mime.TypeByExtension(path.Ext(name)), plain: content, packed: packed.Bytes(),
		tag: hex.EncodeToString(sum[:8]), lasting: strings.HasPrefix(name, "dist/assets/"),
	}, nil
}

// ServeHTTP answers a request for a path under [Root].
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Root)
	found, ok := d.files[name]
	if !ok {
		if path.Ext(name) != "" { // a file of a build that is no more
			http.NotFound(w, r)
			return
		}
		found = d.index
	}
	header := w.Header()
	header.Set("Content-Type", found.kind)
	header.Set("Content-Security-Policy", policy)
	if found.lasting {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	content, tag := found.plain, found.tag
	if len(found.packed) < len(found.plain) && takesGzip(r) {
		content, tag = found.packed, tag+"-gzip"
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip: browsers ask for it by name and without weights.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(coding) == "gzip" {
			return true
		}
	}
	return false
}
