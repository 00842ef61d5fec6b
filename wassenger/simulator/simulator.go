package simulator

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Simulator is the stand-in provider. Its methods may be called concurrently.
type Simulator struct {
	cfg    Config
	log    *slog.Logger
	faults faultBox
	door   door
	mux    *http.ServeMux
	admin  *http.ServeMux
	done   chan struct{} // closed by Close
	wake   chan struct{} // tells Run that the agenda has changed

	mu         sync.Mutex // guards what follows
	closed     bool
	running    bool
	adminAddr  string
	journal    *journal
	book       book
	agenda     agenda
	hooks      []*hook
	deliveries map[string]*delivery       // by key
	unsettled  int                        // deliveries begun, neither acknowledged nor given up
	overtaking map[string][]chan struct{} // closed at the first attempt of a notice, by its key
}

// ErrClosed is what a closed simulator answers.
var ErrClosed = errors.New("the simulator is closed")

// New checks the configuration, whose errors name the field, and restores the
// ledger and the pending future from the journal, if there is one. Nothing
// happens before [Simulator.Run] is called, but requests are answered.
func New(cfg Config) (*Simulator, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s := &Simulator{
		cfg: cfg, log: cfg.Logger,
		done: make(chan struct{}), wake: make(chan struct{}, 1),
		book: newBook(), deliveries: map[string]*delivery{}, overtaking: map[string][]chan struct{}{},
	}
	s.faults.reset(cfg.Seed, cfg.Faults)
	s.mux, s.admin = s.routes(), http.NewServeMux()
	s.adminRoutes(s.mux)
	s.adminRoutes(s.admin)
	if cfg.WebhookURL != "" {
		s.putHook(&hook{ID: hookID(cfg.WebhookURL), Name: "configured", URL: cfg.WebhookURL, Events: eventNames, Device: cfg.DeviceID})
	}
	var err error
	if s.journal, err = openJournal(cfg.JournalPath, s.restore); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s.dropHappened()
	s.book.sortWebhooks()
	return s, nil
}

// Handler serves the provider's endpoints below /v1/ and the simulator's own
// below /simulator/.
func (s *Simulator) Handler() http.Handler { return s.mux }

// Close ends requests that hang and closes the journal. Run and Serve should
// have ended before; what they do afterwards is refused with [ErrClosed].
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	return s.journal.close()
}

// write puts an entry into the journal before what it tells becomes true.
// Callers hold s.mu.
func (s *Simulator) write(e entry) error {
	if s.closed {
		return ErrClosed
	}
	return s.journal.append(e)
}

// rouse makes Run look at the agenda again.
func (s *Simulator) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told already
	}
}

// now is the simulator's clock. It carries no monotonic reading, so that times
// compare the same before and after they went through the journal.
func now() time.Time { return time.Now().UTC().Round(0) }

// hexID is a random id of at most 64 hexadecimal digits.
func hexID(digits int) string {
	one, two := uuid.New(), uuid.New()
	return hex.EncodeToString(append(one[:], two[:]...))[:digits]
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
