package simulator

import (
	"net/http"
	"slices"
	"unicode/utf8"
)

// subscription is a webhook as the provider lists it.
type subscription struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	Device    string   `json:"device"`
	Status    string   `json:"status"`
	CreatedAt string   `json:"createdAt,omitempty"`
	Secret    string   `json:"secret,omitempty"` // told once, when it is created
}

func (s *Simulator) subscription(h *hook) subscription {
	sub := subscription{ID: h.ID, Name: h.Name, URL: h.URL, Events: h.Events, Device: s.cfg.DeviceID, Status: "active"}
	if !h.CreatedAt.IsZero() {
		sub.CreatedAt = milliseconds(h.CreatedAt)
	}
	return sub
}

type newSubscription struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Device string   `json:"device"`
	Active *bool    `json:"active"`
}

func (n newSubscription) check(device string) *problem {
	switch {
	case n.Name == "" || utf8.RuneCountInString(n.Name) > 30:
		return invalid("name", "must have 1 to 30 characters")
	case !isWebURL(n.URL):
		return invalid("url", "must be an http or https URL")
	case len(n.Events) == 0:
		return invalid("events", "must name at least one event")
	case n.Device != "" && n.Device != device:
		return &problem{Status: http.StatusNotFound, Message: "The device does not exist", ErrorCode: "device:notfound"}
	case n.Active != nil && !*n.Active:
		return invalid("active", "the simulator does not play disabled webhooks")
	}
	for _, event := range n.Events {
		if !slices.Contains(eventNames, event) {
			return invalid("events", "names an unknown event")
		}
	}
	return nil
}

func (s *Simulator) getWebhooks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := []subscription{}
	for _, h := range s.hooks {
		listed = append(listed, s.subscription(h))
	}
	respond(w, http.StatusOK, listed)
}

func (s *Simulator) postWebhook(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	var n newSubscription
	if p == nil {
		p = decodeStrictly(body, &n)
	}
	if p == nil {
		p = n.check(s.cfg.DeviceID)
	}
	if p != nil {
		reject(w, p)
		return
	}
	h := &hook{ID: hookID(n.URL), Name: n.Name, URL: n.URL, Events: n.Events, CreatedAt: now()}
	known, err := s.subscribe(h)
	if err != nil {
		s.log.Error("a webhook could not be registered", "error", err)
		reject(w, unavailable())
		return
	}
	if known {
		reject(w, &problem{Status: http.StatusConflict, Message: "A webhook with this URL exists", ErrorCode: "webhook:exists"})
		return
	}
	created := s.subscription(h)
	created.Secret = s.cfg.WebhookSecret
	respond(w, http.StatusCreated, created)
}

// subscribe adds a receiver unless its URL is known.
func (s *Simulator) subscribe(h *hook) (known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasHook(h.URL) {
		return true, nil
	}
	if err := s.write(entry{Hook: h}); err != nil {
		return false, err
	}
	s.addHook(h)
	return false, nil
}
