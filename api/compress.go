package api

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// smallest is the size from which compressing an answer is worth it.
const smallest = 1024

// compress answers with gzip to whoever takes it.
func compress(next http.Handler) http.Handler {
	writers := &sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !takesGzip(r.Header.Get("Accept-Encoding")) || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		compressing := &gzipWriter{ResponseWriter: w, writers: writers}
		// Not deferred: after a panic the answer must not look complete.
		next.ServeHTTP(compressing, r)
		compressing.close()
	})
}

// takesGzip reads an Accept-Encoding header; "gzip;q=0" means no.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		coding = strings.TrimSpace(coding)
		if coding != "gzip" && coding != "*" {
			continue
		}
		_, weight, given := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "q=")
		if !given {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// gzipWriter holds an answer's beginning back until it knows whether to compress it.
type gzipWriter struct {
	http.ResponseWriter
	writers *sync.Pool

	status  int // 0 until the handler has set one
	held    []byte
	decided bool
	gzip    *gzip.Writer // nil when the answer goes out as it is
}

// Unwrap lets http.ResponseController reach the connection.
func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *gzipWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.status == 0 {
		w.status = status
	}
}

func (w *gzipWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.decided {
		if len(w.held)+len(data) < smallest {
			w.held = append(w.held, data...)
			return len(data), nil
		}
		if err := w.decide(true); err != nil {
			return 0, err
		}
	}
	if w.gzip != nil {
		return w.gzip.Write(data)
	}
	return w.ResponseWriter.Write(data)
}

// Flush sends what there is; events must not wait for more.
func (w *gzipWriter) Flush() {
	if !w.decided {
		_ = w.decide(true)
	}
	if w.gzip != nil {
		_ = w.gzip.Flush()
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// decide sends the header and what was held back. large: more is to come.
func (w *gzipWriter) decide(large bool) error {
	w.decided = true
	header := w.Header()
	if large && header.Get("Content-Encoding") == "" && compressible(header.Get("Content-Type")) {
		header.Set("Content-Encoding", "gzip")
		header.Del("Content-Length")
		w.gzip = w.writers.Get().(*gzip.Writer)
		w.gzip.Reset(w.ResponseWriter)
	}
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
	}
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	if w.gzip != nil {
		_, err := w.gzip.Write(held)
		return err
	}
	_, err := w.ResponseWriter.Write(held)
	return err
}

func (w *gzipWriter) close() {
	if !w.decided {
		_ = w.decide(false)
	}
	if w.gzip != nil {
		_ = w.gzip.Close()
		w.gzip.Reset(nil)
		w.writers.Put(w.gzip)
	}
}

func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(kind, "text/") && kind != "text/event-stream" ||
		strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "javascript")
}
