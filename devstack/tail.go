package devstack

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

const tailLines = 30

// tail keeps the last lines that a server wrote, to be quoted when it fails, and
// hands every line to a logger.
type tail struct {
	logger *slog.Logger

	mu      sync.Mutex
	partial []byte
	grave   []string // what ended the server, which a stack trace pushes out of lines
	lines   []string
}

func newTail(logger *slog.Logger) *tail {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &tail{logger: logger}
}

// Write implements io.Writer; it never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = append(t.partial, p...)
	for {
		line, rest, found := bytes.Cut(t.partial, []byte{'\n'})
		if !found {
			return len(p), nil
		}
		t.keep(string(line))
		t.partial = rest
	}
}

// flush takes a last line that has no end.
func (t *tail) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.partial) > 0 {
		t.keep(string(t.partial))
		t.partial = nil
	}
}

func (t *tail) keep(line string) {
	line = strings.TrimRight(line, "\r ")
	if line == "" {
		return
	}
	if severity(line) == slog.LevelWarn && len(t.grave) < tailLines {
		t.grave = append(t.grave, line)
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
	t.logger.Log(context.Background(), severity(line), line)
}

// severity is Warn only for what ends a server. A unique violation, say, is an
// ERROR in PostgreSQL's log and part of a normal day.
func severity(line string) slog.Level {
	for _, grave := range []string{"FATAL:", "PANIC:", "panic:", "fatal error:"} {
		if strings.Contains(line, grave) {
			return slog.LevelWarn
		}
	}
	return slog.LevelDebug
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(slices.Concat(t.grave, t.lines), "\n")
}

func (t *tail) contains(words ...string) bool {
	text := t.String()
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
