package simulator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Names of the events that the simulator sends.
const (
	eventIn       = "message:in:new"
	eventReaction = "message:reaction"
	eventSent     = "message:out:sent"
	eventAck      = "message:out:ack"
	eventFailed   = "message:out:failed"
	eventOurs     = "message:out:new" // only as a sample
	eventUpdate   = "message:update"  // only as a sample
)

// eventNames are all that a webhook can subscribe to.
var eventNames = []string{
	eventIn, eventOurs, eventSent, eventAck, eventFailed, eventUpdate, eventReaction,
	"channel:in", "status:update", "group:update", "chat:update", "contact:update", "number:session",
}

// notice is one event, enough to write its body again and again.
type notice struct {
	key       string // the same after a restart
	event     string
	at        time.Time // when what it tells happened
	message   *record   // of acknowledgements
	ack       string    // of message:out:ack
	reply     *Reply    // of replies and reactions
	raw       []byte    // of bodies that somebody else wrote
	to        string    // the one webhook that a sample is for, by its id; otherwise empty
	inArray   bool
	duplicate bool
}

// delivery is one event on its way to one receiver. Its Webhook is guarded by
// the simulator's lock.
type delivery struct {
	Webhook
	notice *notice // nil while only the journal has told of it
	hook   *hook
}

// settle takes in the outcome of an attempt.
func (d *delivery) settle(at time.Time, status int) {
	d.Attempts++
	d.LastStatus = status
	if ok(status) && d.First2xxAt == nil {
		d.First2xxAt = &at
	}
}

func (d *delivery) settled() bool { return d.First2xxAt != nil || d.GaveUp }

func ok(status int) bool { return status >= 200 && status <= 299 }

// deliveriesOf are the deliveries of an event that still have to be made.
// Callers hold s.mu.
func (s *Simulator) deliveriesOf(n *notice) []*delivery {
	var left []*delivery
	for _, h := range s.hooks {
		if !h.wants(n) {
			continue
		}
		d := s.deliveries[h.key(n)]
		if d == nil {
			d = &delivery{Webhook: Webhook{Key: h.key(n), Event: n.event, Duplicate: n.duplicate}}
			if n.message != nil {
				d.MessageID = n.message.ID
			}
			if n.reply != nil {
				d.MessageID, d.ReplyID = n.reply.MessageID, n.reply.ID
			}
			s.deliveries[d.Key] = d
		}
		d.notice, d.hook = n, h
		if !d.settled() {
			s.unsettled++
			left = append(left, d)
		}
	}
	return left
}

// deliver makes one attempt and, if it was not answered with 2xx, plans the next.
func (s *Simulator) deliver(ctx context.Context, client *http.Client, d *delivery) {
	body := s.body(d.notice)
	h := s.begin(d)
	if h == nil {
		return
	}
	status := s.post(ctx, client, h.URL, body)
	s.finish(d, status)
}

// begin notes that an attempt is made and returns the receiver as it is now, or
// nil if it does not want the event any more, which is then dropped.
func (s *Simulator) begin(d *delivery) *hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.findHook(d.hook.ID)
	if h == nil || !h.wants(d.notice) {
		d.GaveUp = true
		s.unsettled--
		s.letAnswer(d.notice)
		return nil
	}
	if d.FirstAttemptAt.IsZero() {
		d.FirstAttemptAt = now()
		s.book.webhooks = append(s.book.webhooks, d)
	}
	return h
}

// letAnswer lets go of the answer that waits for this event to overtake it.
// Callers hold s.mu.
func (s *Simulator) letAnswer(n *notice) {
	for _, waiting := range s.overtaking[n.key] {
		close(waiting)
	}
	delete(s.overtaking, n.key)
}

func (s *Simulator) finish(d *delivery, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	if err := s.write(entry{Attempt: &attempt{Webhook: d.Webhook, At: at, Status: status}}); err != nil {
		s.log.Error("a webhook's outcome could not be journalled; it may be repeated after a restart", "error", err)
	}
	d.settle(at, status)
	s.letAnswer(d.notice)
	if ok(status) {
		s.unsettled--
		if d.notice.message != nil {
			d.notice.message.told = true
		}
		return
	}
	s.retry(d, at)
}

// retry plans the next attempt or gives up. Callers hold s.mu.
func (s *Simulator) retry(d *delivery, at time.Time) {
	next := at.Add(s.pause(d))
	if next.Sub(d.FirstAttemptAt) > s.cfg.Delivery.GiveUpAfter {
		d.GaveUp = true
		s.unsettled--
		s.log.Warn("a webhook was given up", "key", d.Key, "event", d.Event, "attempts", d.Attempts, "status", d.LastStatus)
		return
	}
	s.agenda.add(task{at: next, retry: d})
	s.rouse()
}

// pause doubles with every attempt, give or take a fifth.
func (s *Simulator) pause(d *delivery) time.Duration {
	pause, longest := s.cfg.Delivery.RetryBase, s.cfg.Delivery.RetryMax
	for n := 1; n < d.Attempts && pause < longest; n++ {
		pause *= 2
	}
	pause = min(pause, longest)
	jitter := throw(s.cfg.Seed, "retry", d.Key, strconv.Itoa(d.Attempts)).Float64()
	return time.Duration(float64(pause) * (0.8 + 0.4*jitter))
}

// post returns the HTTP status of the answer, 0 when there was none in time.
// Its errors are dropped because their text contains the URL and with it the token.
func (s *Simulator) post(ctx context.Context, client *http.Client, url string, body []byte) int {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Delivery.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "relance-simulator")
	if s.cfg.WebhookToken != "" {
		req.Header.Set("X-Webhook-Token", s.cfg.WebhookToken)
	}
	if s.cfg.WebhookSecret != "" {
		req.Header.Set(s.cfg.WebhookSignatureHeader, sign(s.cfg.WebhookSecret, body))
	}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return res.StatusCode
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// SendWebhook sends a body as it is to every webhook now, whatever it contains,
// and returns the beginning of its keys in the ledger.
func (s *Simulator) SendWebhook(body []byte) (string, error) {
	raw := rawEvent{At: now(), ID: "raw/" + uuid.NewString(), Event: eventOf(body), Body: bytes.Clone(body)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.write(entry{Raw: &raw}); err != nil {
		return "", err
	}
	s.agenda.add(task{at: raw.At, tell: s.rawNotice(raw)})
	s.rouse()
	return raw.ID, nil
}

func (s *Simulator) rawNotice(raw rawEvent) *notice {
	if raw.Body == nil {
		raw.Body = []byte{} // an empty body is a body
	}
	return &notice{key: raw.ID, event: raw.Event, at: raw.At, raw: raw.Body, to: raw.To}
}

// eventOf is the name in a body of either envelope, "raw" if it tells none.
func eventOf(body []byte) string {
	type named struct {
		Event string `json:"event"`
	}
	var one named
	var several []named
	if json.Unmarshal(body, &one) == nil && one.Event != "" {
		return one.Event
	}
	if json.Unmarshal(body, &several) == nil && len(several) > 0 && several[0].Event != "" {
		return several[0].Event
	}
	return "raw"
}
