package main

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"sync"
)

// largestSample bounds what is read of one delivery, in bytes.
const largestSample = 2 << 20

// inbox receives one delivery at each address that it was told to expect one at.
// Its zero value expects nothing.
type inbox struct {
	mu       sync.Mutex
	expected map[string]chan []byte
}

// expect makes up a path segment that nobody can guess and returns what is
// posted there first. A prefix before it is the business of whoever is in front.
func (b *inbox) expect() (segment string, delivered <-chan []byte) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	segment = hex.EncodeToString(random[:])
	first := make(chan []byte, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.expected == nil {
		b.expected = map[string]chan []byte{}
	}
	b.expected[segment] = first
	return segment, first
}

// ServeHTTP implements http.Handler. Later deliveries to a known address are
// answered like the first, so that the provider does not repeat them.
func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	first := b.expected[path.Base(r.URL.Path)]
	b.mu.Unlock()
	if first == nil || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestSample))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	select {
	case first <- raw:
	default: // not the first
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n")
}
