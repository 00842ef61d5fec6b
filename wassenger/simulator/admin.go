package simulator

import (
	"errors"
	"net/http"
)

// Health is the simulator in numbers.
type Health struct {
	Status   string `json:"status"` // "ok"
	Running  bool   `json:"running"`
	Messages int    `json:"messages"`
	Replies  int    `json:"replies"`
	Webhooks int    `json:"webhooks"`
	// Planned counts replies and events whose time has not come.
	Planned int `json:"planned"`
	// Unacknowledged counts webhooks that wait for a first 2xx.
	Unacknowledged int `json:"unacknowledged"`
}

// Health says how the simulator is. It is quiet when Planned and Unacknowledged
// are both 0.
func (s *Simulator) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Health{
		Status: "ok", Running: s.running,
		Messages: len(s.book.messages), Replies: len(s.book.replies), Webhooks: len(s.book.webhooks),
		Planned: s.agenda.planned(), Unacknowledged: s.unsettled,
	}
}

func (s *Simulator) adminRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /simulator/health", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.Health()) })
	mux.HandleFunc("GET /simulator/ledger", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.Ledger()) })
	mux.HandleFunc("GET /simulator/faults", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.Faults()) })
	mux.HandleFunc("PUT /simulator/faults", s.putFaults)
	mux.HandleFunc("POST /simulator/reply", s.postReply)
	mux.HandleFunc("POST /simulator/webhook", s.postRawWebhook)
}

// putFaults replaces all faults: what the body leaves out is healthy again.
func (s *Simulator) putFaults(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	var f Faults
	if p == nil {
		p = decodeStrictly(body, &f)
	}
	if p == nil {
		if err := s.SetFaults(f); err != nil {
			p = &problem{Status: http.StatusBadRequest, Message: err.Error()}
		}
	}
	if p != nil {
		reject(w, p)
		return
	}
	respond(w, http.StatusOK, s.Faults())
}

func (s *Simulator) postReply(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	var req ReplyRequest
	if p == nil {
		p = decodeStrictly(body, &req)
	}
	if p != nil {
		reject(w, p)
		return
	}
	reply, err := s.Reply(req)
	switch {
	case errors.Is(err, ErrReply):
		reject(w, &problem{Status: http.StatusBadRequest, Message: err.Error()})
	case err != nil:
		reject(w, &problem{Status: http.StatusServiceUnavailable, Message: err.Error()})
	default:
		respond(w, http.StatusCreated, reply)
	}
}

func (s *Simulator) postRawWebhook(w http.ResponseWriter, r *http.Request) {
	body, p := readBody(r)
	if p != nil {
		reject(w, p)
		return
	}
	id, err := s.SendWebhook(body)
	if err != nil {
		reject(w, &problem{Status: http.StatusServiceUnavailable, Message: err.Error()})
		return
	}
	respond(w, http.StatusCreated, map[string]string{"id": id})
}
