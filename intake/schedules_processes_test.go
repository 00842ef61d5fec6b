package intake_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// death is where a process that takes webhooks in dies.
type death string

const (
	lives        death = "lives"
	diesEarly    death = "dies before it applies anything"
	beforeWaking death = "dies before it wakes the workflow"
	afterWaking  death = "dies once it has woken the workflow"
)

// Most live.
var deaths = []death{lives, lives, lives, diesEarly, beforeWaking, afterWaking}

// process does what one process does, up to its death, and gives its obituary.
func (s *schedule) process(d death, do func()) (obituary string) {
	s.temporal.caller, s.temporal.callerDied = d, false
	defer func() {
		s.temporal.caller = lives
		if s.temporal.callerDied {
			_ = recover()
			obituary = ", and its process " + string(d)
		}
	}()
	do()
	return ""
}

// deliver has the provider tell facts in one webhook.
func (s *schedule) deliver(d death, facts ...*fact) {
	w := newWebhook(facts)
	parkedBefore, answer := len(s.temporal.parked), "no answer"
	obituary := s.process(d, func() {
		if d == diesEarly {
			_, _ = s.store.KeepWebhook(s.Context(), w.key, w.raw, time.Time{})
			s.temporal.dieIf(diesEarly)
		}
		var err error
		if answer, err = s.intake.Receive(s.Context(), w.raw); err != nil {
			answer = "refused"
		}
	})
	parked := len(s.temporal.parked) > parkedBefore
	if parked {
		s.temporal.parked[parkedBefore].webhook = w
	}
	// It may have been taken in without the provider's learning of it.
	taken := parked || s.isStored(w) || answer != "refused" && answer != "no answer"
	for _, f := range facts {
		f.told, f.parked = true, f.parked || parked
		if taken && f.takenAt.IsZero() {
			f.takenAt = s.now
		}
	}
	s.tell("the provider tells: %s: %s%s (taken in: %t)", w.name, answer, obituary, taken)
}

// parkedWebhooks are those that a worker may take up now: not in the moment in
// which they were parked, see unpark.
func (s *schedule) parkedWebhooks() (parked []*parkedWebhook) {
	for _, p := range s.temporal.parked {
		if s.temporal.up && !p.done && p.at.Before(s.now) {
			parked = append(parked, p)
		}
	}
	return parked
}

// unpark does what the activity ReceiveParked does. A little real time passes in
// it while the schedule's clock stands, and so dates the webhook back: at the very
// end of the window, into it. Hence it is said to have been parked between its
// moment and the next.
func (s *schedule) unpark(p *parkedWebhook, d death) {
	parkedAt := time.Now().Add(p.at.Sub(s.now) + 5*time.Second)
	obituary := s.process(d, func() {
		if d == diesEarly {
			_, _ = s.store.KeepWebhook(s.Context(), p.key, p.raw, parkedAt)
			s.temporal.dieIf(diesEarly)
		}
		if _, err := s.intake.ReceiveParked(s.Context(), p.sealed, parkedAt); err == nil {
			_ = s.temporal.ask(func() { p.done = true })
		}
	})
	s.tell("a worker takes up what was parked: %s%s (done: %t)", p.name, obituary, p.done)
}

// dispatch does what worker.Dispatcher does. What fails it meets again.
func (s *schedule) dispatch(d death) {
	taken := 0
	obituary := s.process(d, func() {
		events, _ := s.store.TakeWebhooks(s.Context(), 200)
		// Which of one moment's comes first is chance, which could not be replayed.
		slices.SortFunc(events, func(a, b store.WebhookEvent) int {
			return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), bytes.Compare(a.Raw, b.Raw))
		})
		taken = len(events)
		s.temporal.dieIf(diesEarly)
		for _, event := range events {
			_ = s.intake.Process(s.Context(), event)
		}
		owed, _ := s.store.UnansweredReplies(s.Context(), 2*time.Second, 200)
		overdue, _ := s.store.Overdue(s.Context(), time.Minute, 200)
		for _, recipient := range append(owed, overdue...) {
			_ = s.temporal.Revive(s.Context(), recipient.CampaignID, recipient.ContactID)
		}
	})
	s.tell("the dispatcher takes %d webhooks%s", taken, obituary)
}

// temporal stands in for Temporal: it keeps what it was given, once, while it is up.
type temporal struct {
	now      *time.Time
	up       bool
	lastWord bool // it takes one more request, and goes down before it has answered
	parked   []*parkedWebhook
	contact  contactWorkflow

	caller     death // of the process that asks
	callerDied bool
}

type parkedWebhook struct {
	webhook
	id     string
	sealed []byte
	at     time.Time
	done   bool
}

var errDown = errors.New("down")

func (t *temporal) ask(request func()) error {
	if !t.up {
		return errDown
	}
	request()
	if t.lastWord {
		t.up, t.lastWord = false, false
		return errDown
	}
	return nil
}

func (t *temporal) Wake(context.Context, uuid.UUID, uuid.UUID) error {
	return t.wake(func() { t.contact.woken = true })
}

func (t *temporal) Revive(context.Context, uuid.UUID, uuid.UUID) error {
	return t.wake(func() {
		if !t.contact.open {
			t.contact = contactWorkflow{open: true, doing: sendingMessage1}
		}
		t.contact.woken = true
	})
}

func (t *temporal) wake(request func()) error {
	t.dieIf(beforeWaking)
	err := t.ask(request)
	t.dieIf(afterWaking)
	return err
}

func (t *temporal) dieIf(here death) {
	if t.caller == here {
		t.callerDied = true
		panic(here)
	}
}

func (t *temporal) Park(_ context.Context, id string, sealed []byte) error {
	return t.ask(func() {
		for _, parked := range t.parked {
			if parked.id == id {
				return
			}
		}
		t.parked = append(t.parked, &parkedWebhook{id: id, sealed: sealed, at: *t.now})
	})
}
