package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"
)

// subscription is a webhook as the provider lists it.
type subscription struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	Device    string   `json:"device,omitempty"`
	Status    string   `json:"status"`
	CreatedAt string   `json:"createdAt,omitempty"`
	Secret    string   `json:"secret,omitempty"` // told once, when it is created
}

func (h *hook) subscription() subscription {
	sub := subscription{ID: h.ID, Name: h.Name, URL: h.URL, Events: h.Events, Device: h.Device, Status: "active"}
	if h.Disabled {
		sub.Status = "disabled"
	}
	if !h.CreatedAt.IsZero() {
		sub.CreatedAt = milliseconds(h.CreatedAt)
	}
	return sub
}

// settings are what can be chosen of a webhook.
type settings struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Device string   `json:"device"`
	Active *bool    `json:"active"`
}

func (h *hook) settings() settings {
	active := !h.Disabled
	return settings{Name: h.Name, URL: h.URL, Events: slices.Clone(h.Events), Device: h.Device, Active: &active}
}

func (n settings) isDisabled() bool { return n.Active != nil && !*n.Active }

func (n settings) check(device string) *problem {
	switch {
	case n.Name == "" || utf8.RuneCountInString(n.Name) > 30:
		return invalid("name", "must have 1 to 30 characters")
	case !isWebURL(n.URL):
		return invalid("url", "must be an http or https URL")
	case len(n.Events) == 0:
		return invalid("events", "must name at least one event")
	case n.Device != "" && n.Device != device:
		return &problem{Status: http.StatusNotFound, Message: "The device does not exist", ErrorCode: "device:notfound"}
	}
	for _, event := range n.Events {
		if !slices.Contains(eventNames, event) {
			return invalid("events", "names an unknown event")
		}
	}
	return nil
}

// getWebhooks lists all webhooks, or those of some states, a page at a time.
func (s *Simulator) getWebhooks(w http.ResponseWriter, r *http.Request) {
	statuses, page, p := parseHookFilter(r.URL.Query())
	if p != nil {
		reject(w, p)
		return
	}
	s.mu.Lock()
	listed := []subscription{}
	for _, h := range s.hooks {
		if sub := h.subscription(); len(statuses) == 0 || slices.Contains(statuses, sub.Status) {
			listed = append(listed, sub)
		}
	}
	s.mu.Unlock()
	from := min(page.page*page.size, len(listed))
	respond(w, http.StatusOK, listed[from:min(from+page.size, len(listed))])
}

func parseHookFilter(query url.Values) (statuses []string, page filter, p *problem) {
	page = filter{size: defaultPageSize}
	for key, values := range query {
		switch key {
		case "status":
			statuses = values
		case "size", "page":
			p = page.set(key, values)
		default:
			p = invalid(key, "the simulator does not play this filter")
		}
		if p != nil {
			break
		}
	}
	return statuses, page, p
}

func (s *Simulator) getWebhook(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.findHook(r.PathValue("id"))
	s.mu.Unlock()
	if h == nil {
		reject(w, noSuchWebhook())
		return
	}
	respond(w, http.StatusOK, h.subscription())
}

func noSuchWebhook() *problem {
	return &problem{Status: http.StatusNotFound, Message: "The webhook does not exist", ErrorCode: "webhook:notfound"}
}

func urlTaken() *problem {
	return &problem{Status: http.StatusConflict, Message: "A webhook with this URL exists", ErrorCode: "webhook:exists"}
}

func (s *Simulator) postWebhook(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	var n settings
	if p == nil {
		p = decodeStrictly(body, &n)
	}
	if p == nil {
		p = n.check(s.cfg.DeviceID)
	}
	var sample *rawEvent
	if id := r.URL.Query().Get("sample"); p == nil && id != "" {
		sample, p = s.sampleEvent(id, n.Events)
	}
	if p != nil {
		reject(w, p)
		return
	}
	h, err := s.subscribe(n, sample)
	switch {
	case err != nil:
		s.log.Error("a webhook could not be registered", "error", err)
		reject(w, unavailable())
	case h == nil:
		reject(w, urlTaken())
	default:
		created := h.subscription()
		created.Secret = s.cfg.WebhookSecret
		respond(w, http.StatusCreated, created)
	}
}

// subscribe adds a receiver, nil if its URL is known, and plans the sample, if
// there is one, for it alone.
func (s *Simulator) subscribe(n settings, sample *rawEvent) (*hook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasHook(n.URL) {
		return nil, nil
	}
	h := &hook{
		ID: s.freeHookID(n.URL), Name: n.Name, URL: n.URL, Events: n.Events, Device: n.Device,
		Disabled: n.isDisabled(), CreatedAt: now(),
	}
	if err := s.write(entry{Hook: h}); err != nil {
		return nil, err
	}
	s.putHook(h)
	if sample == nil {
		return h, nil
	}
	sample.At, sample.To = h.CreatedAt, h.ID
	if err := s.write(entry{Raw: sample}); err != nil {
		return nil, err
	}
	s.agenda.add(task{at: sample.At, tell: s.rawNotice(*sample)})
	s.rouse()
	return h, nil
}

func (s *Simulator) patchWebhook(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	if p != nil {
		reject(w, p)
		return
	}
	s.change(w, r, func(n *settings) *problem { return decodeStrictly(body, n) })
}

func (s *Simulator) enableWebhook(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(n *settings) *problem {
		active := true
		n.Active = &active
		return nil
	})
}

// change answers with a webhook after some of its settings were changed.
func (s *Simulator) change(w http.ResponseWriter, r *http.Request, edit func(*settings) *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.findHook(r.PathValue("id"))
	if former == nil {
		reject(w, noSuchWebhook())
		return
	}
	n := former.settings()
	p := edit(&n)
	if p == nil {
		p = n.check(s.cfg.DeviceID)
	}
	if p == nil && n.URL != former.URL && s.hasHook(n.URL) {
		p = urlTaken()
	}
	if p != nil {
		reject(w, p)
		return
	}
	h := *former
	h.Name, h.URL, h.Events, h.Device, h.Disabled = n.Name, n.URL, n.Events, n.Device, n.isDisabled()
	if former.Disabled && !h.Disabled {
		h.EnabledAt = now()
	}
	if err := s.write(entry{Hook: &h}); err != nil {
		s.log.Error("a webhook could not be changed", "error", err)
		reject(w, unavailable())
		return
	}
	s.putHook(&h)
	respond(w, http.StatusOK, h.subscription())
}

func (s *Simulator) deleteWebhook(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.findHook(r.PathValue("id"))
	if h == nil {
		reject(w, noSuchWebhook())
		return
	}
	if err := s.write(entry{Unhook: h.ID}); err != nil {
		s.log.Error("a webhook could not be removed", "error", err)
		reject(w, unavailable())
		return
	}
	s.removeHook(h.ID)
	w.WriteHeader(http.StatusNoContent)
}
