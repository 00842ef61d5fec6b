package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// hook is a receiver of events. It is never written to: what is changed takes
// its place, so that a delivery under way may read the one that it began with.
type hook struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	URL       string    `json:"url"`
	Events    []string  `json:"events"`
	Device    string    `json:"device,omitempty"` // empty: every device of the account
	CreatedAt time.Time `json:"created_at"`
	Disabled  bool      `json:"disabled,omitempty"`
	// EnabledAt is when it was last enabled again. What happened before is lost to
	// it, with or without a restart in between.
	EnabledAt time.Time `json:"enabled_at,omitzero"`
}

// hookID depends on the URL only, so that a webhook stays the same after a restart.
func hookID(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:12])
}

// freeHookID is the id of a new receiver. A receiver keeps its id when it moves to
// another URL, so the one that follows from the URL may be taken. Callers hold s.mu.
func (s *Simulator) freeHookID(url string) string {
	id := hookID(url)
	for s.findHook(id) != nil {
		id = hookID(id)
	}
	return id
}

// findHook returns the receiver with this id, or nil. Callers hold s.mu.
func (s *Simulator) findHook(id string) *hook {
	for _, h := range s.hooks {
		if h.ID == id {
			return h
		}
	}
	return nil
}

func (s *Simulator) hasHook(url string) bool {
	return slices.ContainsFunc(s.hooks, func(h *hook) bool { return h.URL == url })
}

// putHook adds a receiver or, if its id is known, lets it take the former's
// place. Callers hold s.mu.
func (s *Simulator) putHook(h *hook) {
	known := slices.IndexFunc(s.hooks, func(other *hook) bool { return other.ID == h.ID })
	switch {
	case known >= 0:
		s.hooks[known] = h
	case !s.hasHook(h.URL):
		s.hooks = append(s.hooks, h)
	}
}

// removeHook is for ever. Callers hold s.mu.
func (s *Simulator) removeHook(id string) {
	s.hooks = slices.DeleteFunc(s.hooks, func(h *hook) bool { return h.ID == id })
}

func (h *hook) wants(n *notice) bool {
	return !h.Disabled && !n.at.Before(h.CreatedAt) && !n.at.Before(h.EnabledAt) &&
		(n.to == "" || n.to == h.ID) &&
		(n.raw != nil || slices.Contains(h.Events, n.event))
}

func (h *hook) key(n *notice) string { return n.key + "@" + h.ID[:8] }
