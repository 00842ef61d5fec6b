package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/relance/relance/campaign"
)

// newMessage is the body of POST /v1/messages, as far as it is played. What is
// only accepted has no effect.
type newMessage struct {
	Phone     string    `json:"phone"`
	Message   string    `json:"message"`
	Device    string    `json:"device"`
	Media     *newMedia `json:"media"`
	Reference string    `json:"reference"`
	Priority  string    `json:"priority"`
	Retries   *int      `json:"retries"`

	// Only accepted.
	Label       string         `json:"label"`
	Agent       string         `json:"agent"`
	Quote       string         `json:"quote"`
	Enqueue     string         `json:"enqueue"`
	Live        bool           `json:"live"`
	Order       bool           `json:"order"`
	Typing      int            `json:"typing"`
	SendReadAck bool           `json:"sendReadAck"`
	Expiration  *newExpiration `json:"expiration"`
}

type newMedia struct {
	URL        string `json:"url"`
	File       string `json:"file"`
	Filename   string `json:"filename"`
	Format     string `json:"format"`
	Expiration string `json:"expiration"`
	ViewOnce   bool   `json:"viewOnce"`
}

type newExpiration struct {
	Seconds  int    `json:"seconds"`
	Duration string `json:"duration"`
	Date     string `json:"date"`
}

// notPlayed are keys that the provider knows and the simulator does not play.
// Taking them silently would show a campaign something that does not happen.
var notPlayed = []string{
	"group", "channel", "chat", "deliverAt", "schedule", "actions", "poll", "vote", "event", "confirm", "location",
	"contacts", "reaction", "reactionMessage", "product", "forward", "buttons", "header", "footer", "list", "template",
}

// postMessage accepts a message or goes wrong in the way that was drawn.
func (s *Simulator) postMessage(w http.ResponseWriter, r *http.Request) {
	fault, faults := s.faults.ofSend()
	if fault == ResetBeforeAccept {
		reset(w)
		return
	}
	body, p := readBody(r)
	if p == nil {
		p = s.refuseEarly(fault, faults, w, r)
	}
	var n newMessage
	if p == nil {
		n, p = parseMessage(body, s.cfg.DeviceID)
	}
	if p == nil && faults.isUnknown(s.cfg.Seed, n.Phone) {
		p = &problem{Status: http.StatusBadRequest, Message: "The phone number is not a WhatsApp user", ErrorCode: "phone:invalid"}
	}
	if p != nil {
		reject(w, p)
		return
	}
	accepted, overtaken, err := s.accept(n)
	if err != nil {
		s.log.Error("a message could not be accepted", "error", err)
		reject(w, &problem{Status: http.StatusServiceUnavailable, Message: "Service unavailable"})
		return
	}
	if overtaken != nil {
		s.letOvertake(r, overtaken)
	}
	s.answer(fault, accepted, w, r)
}

// refuseEarly is the refusal by a fault that strikes before anything is looked at.
func (s *Simulator) refuseEarly(fault Fault, faults Faults, w http.ResponseWriter, r *http.Request) *problem {
	switch fault {
	case TimeoutBeforeAccept:
		s.hang(r)
	case ErrorBeforeAccept:
		return &problem{Status: http.StatusServiceUnavailable, Message: "Service unavailable, try again later"}
	case RateLimited:
		if faults.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(faults.RetryAfterSeconds))
		}
		return &problem{Status: http.StatusTooManyRequests, Message: "Too many requests, slow down"}
	case Halted:
		return &problem{Status: faults.haltStatus(), Message: "The device or the account cannot send at the moment"}
	}
	return nil
}

// answer tells the client of an accepted message, or fails to.
func (s *Simulator) answer(fault Fault, accepted *record, w http.ResponseWriter, r *http.Request) {
	switch fault {
	case TimeoutAfterAccept:
		s.hang(r)
	case ResetAfterAccept:
		reset(w)
	case ErrorAfterAccept:
		status := http.StatusBadGateway
		if throw(s.cfg.Seed, "html", accepted.ID).chance(0.5) {
			status = http.StatusInternalServerError
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body><center><h1>%[1]d %[2]s</h1></center></body>\r\n</html>\r\n",
			status, http.StatusText(status))
	default:
		respond(w, http.StatusCreated, s.outbound(accepted, "queued"))
	}
}

// accept puts a message into the journal and the ledger and plans what becomes
// of it. The channel, if any, is closed when its "delivered" has been told.
func (s *Simulator) accept(n newMessage) (*record, <-chan struct{}, error) {
	m := Message{
		ID: hexID(24), WaID: "3EB0" + strings.ToUpper(hexID(18)), Reference: n.Reference,
		Phone: n.Phone, Text: n.Message, Priority: n.Priority,
	}
	if n.Media != nil {
		m.MediaURL, m.MediaFile = n.Media.URL, n.Media.File
	}
	if n.Retries != nil {
		m.Retries = *n.Retries
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At, m.Before = now(), len(s.book.byPhone[m.Phone])
	if err := s.write(entry{Message: &m}); err != nil {
		return nil, nil, err
	}
	r := s.newRecord(m)
	s.book.addMessage(r)
	s.schedule(r)
	return r, s.overtakenBy(r), nil
}

// overtakenBy is nil unless webhooks shall overtake the answer and can.
// Callers hold s.mu.
func (s *Simulator) overtakenBy(r *record) <-chan struct{} {
	acks := r.acks()
	n := acks[min(1, len(acks)-1)]
	if !r.early || !s.running || !slices.ContainsFunc(s.hooks, func(h *hook) bool { return h.wants(n) }) {
		return nil
	}
	told := make(chan struct{})
	s.overtaking[n.key] = append(s.overtaking[n.key], told)
	return told
}

// longestOvertaking keeps a dead receiver from making every send time out.
const longestOvertaking = 2 * time.Second

func (s *Simulator) letOvertake(r *http.Request, told <-chan struct{}) {
	timer := time.NewTimer(longestOvertaking)
	defer timer.Stop()
	select {
	case <-told:
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.done:
	}
}

func parseMessage(body []byte, device string) (newMessage, *problem) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(body, &keys) == nil {
		for _, key := range notPlayed {
			if _, set := keys[key]; set {
				return newMessage{}, invalid(key, "the simulator does not play this key")
			}
		}
	}
	n := newMessage{}
	if p := decodeStrictly(body, &n); p != nil {
		return n, p
	}
	if n.Priority == "" {
		n.Priority = "normal"
	}
	return n, n.check(device)
}

func (n newMessage) check(device string) *problem {
	switch {
	case n.Device == "" || !hex24.MatchString(n.Device):
		return &problem{Status: http.StatusBadRequest, Message: "The device is missing or is no device id", ErrorCode: "device:invalid"}
	case n.Device != device:
		return &problem{Status: http.StatusNotFound, Message: "The device does not exist", ErrorCode: "device:invalid"}
	case !e164.MatchString(n.Phone):
		return &problem{Status: http.StatusBadRequest, Message: "The phone number must be in E.164 format", ErrorCode: "phone:invalid"}
	case n.Message == "" && n.Media == nil:
		return invalid("message", "is required without media")
	case utf8.RuneCountInString(n.Message) > campaign.MaxTextLength:
		return invalid("message", "is longer than WhatsApp allows")
	case !slices.Contains([]string{"low", "normal", "high", "urgent"}, n.Priority):
		return invalid("priority", "must be low, normal, high or urgent")
	case n.Retries != nil && (*n.Retries < 0 || *n.Retries > 100):
		return invalid("retries", "must be between 0 and 100")
	}
	return n.checkRest()
}

func (n newMessage) checkRest() *problem {
	switch {
	case !slices.Contains([]string{"", "always", "never", "opportunistic"}, n.Enqueue):
		return invalid("enqueue", "must be always, never or opportunistic")
	case n.Order && (n.Live || n.Enqueue == "never"):
		return invalid("order", "is incompatible with live and with enqueue never")
	case n.Typing < 0 || n.Typing == 1 || n.Typing > 30:
		return invalid("typing", "must be 0 or between 2 and 30")
	case n.Expiration != nil && n.Expiration.given() != 1:
		return invalid("expiration", "must have exactly one of seconds, duration and date")
	case n.Expiration != nil && n.Expiration.Seconds != 0 && (n.Expiration.Seconds < 5 || n.Expiration.Seconds > 2592000):
		return invalid("expiration.seconds", "must be between 5 and 2592000")
	case n.Media == nil:
		return nil
	case (n.Media.URL == "") == (n.Media.File == ""):
		return invalid("media", "must have exactly one of url and file")
	case n.Media.URL != "" && !isWebURL(n.Media.URL):
		return invalid("media.url", "must be an http or https URL")
	case n.Media.File != "" && !hex24.MatchString(n.Media.File):
		return invalid("media.file", "must be a file id")
	case !slices.Contains([]string{"", "native", "gif", "ptt"}, n.Media.Format):
		return invalid("media.format", "must be native, gif or ptt")
	}
	return nil
}

func (e newExpiration) given() int {
	n := 0
	for _, set := range []bool{e.Seconds != 0, e.Duration != "", e.Date != ""} {
		if set {
			n++
		}
	}
	return n
}
