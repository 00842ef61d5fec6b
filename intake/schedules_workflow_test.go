package intake_test

import (
	"errors"
	"time"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// contactWorkflow mirrors workflows.Contact after Message 1.
type contactWorkflow struct {
	open    bool
	doing   activity
	decided *store.Progress // what the activity answered, not taken up yet
	timer   time.Time
	woken   bool
}

type activity string

const (
	waiting         activity = ""
	sendingMessage1 activity = "SendMessage 1"
	sendingMessage2 activity = "SendMessage 2"
	closingWindow   activity = "CloseWindow"
)

// workerStop is where the worker that runs an activity stops, if it does.
type workerStop string

const (
	carriesOn     workerStop = "carries on"
	afterClaiming workerStop = "stops once it has claimed"
	afterSending  workerStop = "stops once it has sent"
	afterDeciding workerStop = "stops before it tells Temporal"
)

// workerStops are drawn from; what may be sent twice is what matters most.
var workerStops = []workerStop{carriesOn, afterSending, afterClaiming, afterSending, afterDeciding}

// fireTimer fires the workflow's timer if it is due, or nearly so: Temporal and the
// database need not agree about how fast time passes.
func (s *schedule) fireTimer(early time.Duration) bool {
	c := &s.temporal.contact
	if !s.temporal.up || !c.open || c.decided != nil || c.doing != waiting || s.now.Before(c.timer.Add(-early)) {
		return false
	}
	c.doing = closingWindow
	s.tell("the timer fires")
	return true
}

func (s *schedule) workflowHasWork() bool {
	c := s.temporal.contact
	return s.temporal.up && c.open && (c.decided != nil || c.doing != waiting || c.woken)
}

// stepWorkflow reports whether the workflow got on.
func (s *schedule) stepWorkflow(stop workerStop) bool {
	c := &s.temporal.contact
	switch {
	case c.decided != nil:
		progress := *c.decided
		c.decided = nil
		switch progress.State {
		case campaign.Message1Sent:
			c.doing, c.timer = waiting, s.now.Add(progress.WindowLeft)
		case campaign.Replied:
			c.doing = sendingMessage2
		default:
			*c = contactWorkflow{} // a wake-up that it has not taken up ends with it
		}
		s.tell("the workflow learns: %s", progress.State)
		return true
	case c.doing == waiting:
		c.doing, c.woken = sendingMessage2, false
		s.tell("the workflow is woken")
		return true
	}
	progress, err := s.run(c.doing, stop)
	if stop == afterDeciding && err == nil {
		err = errStopped
	}
	if err == nil {
		// Should Temporal stop now, it has the answer all the same.
		_ = s.temporal.ask(func() { c.decided = &progress })
	}
	switch {
	case err == nil:
		s.tell("%s: %s", c.doing, progress.State)
	case errors.Is(err, errStopped):
		s.tell("%s: the worker %s", c.doing, stop)
	case errors.Is(err, errUnclear):
		s.tell("%s: not found yet", c.doing)
	default:
		s.tell("%s: the database does not answer", c.doing)
	}
	return err == nil
}

// finishWorkflow lets the workflow go on until it waits, or until the worker stops.
func (s *schedule) finishWorkflow(stop workerStop) {
	for range 30 {
		if !s.fireTimer(0) && (!s.workflowHasWork() || !s.stepWorkflow(stop)) {
			return
		}
	}
	s.Fatal("the workflow goes round in circles")
}

var (
	errStopped = errors.New("the worker has stopped")
	errUnclear = errors.New("nobody knows whether it left")
)

// sendTimeout is how old a claim must be before a look-up proves anything.
const sendTimeout = 10 * time.Second

// reviveUnfinished does what a campaign does when nothing else of it runs.
func (s *schedule) reviveUnfinished() {
	recipients, err := s.store.Unfinished(s.Context(), theCampaignsID, 10)
	if err != nil {
		s.Fatal(err)
	}
	for _, recipient := range recipients {
		_ = s.temporal.Revive(s.Context(), recipient.CampaignID, recipient.ContactID)
	}
}

// mayWasteAnAttempt: a claim whose message never leaves uses up one of four
// attempts, and nobody expects a message to leave after the last.
func (s *schedule) mayWasteAnAttempt() bool {
	wasted := s.wasted
	if s.gate.isCounting() {
		wasted++
	}
	return wasted < campaign.MaxAttempts-1
}

// run does what the activities SendMessage and CloseWindow do.
func (s *schedule) run(a activity, stop workerStop) (store.Progress, error) {
	if a == closingWindow {
		return s.store.CloseWindow(s.Context(), theCampaignsID, theContactsID)
	}
	key := store.MessageKey{CampaignID: theCampaignsID, ContactID: theContactsID, Type: campaign.Message1}
	if a == sendingMessage2 {
		key.Type = campaign.Message2
	}
	mayWaste, wasUp := s.mayWasteAnAttempt(), s.gate.isOpen()
	claim, err := s.store.Claim(s.Context(), key)
	switch {
	case err != nil:
		if wasUp { // it may have been granted
			s.wasted++
		}
		return claim.Progress, err
	case claim.Verdict == store.Recorded:
		return claim.Progress, nil
	case claim.Verdict == store.Unsettled:
		return s.lookUp(claim)
	case claim.Verdict == store.Wait || key.Type == campaign.Message1:
		s.Fatalf("a claim of %s is answered with %s", key.Type, claim.Verdict)
	case stop == afterClaiming && mayWaste:
		s.wasted++
		return claim.Progress, errStopped
	}
	s.send(claim)
	if stop == afterSending {
		return claim.Progress, errStopped
	}
	return s.store.SettleSent(s.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "P2", WAID: "W2"})
}

func (s *schedule) lookUp(claim store.Claim) (store.Progress, error) {
	if sentAt, sent := s.provider[claim.MessageID]; sent {
		return s.store.SettleSent(s.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "P2", WAID: "W2", CreatedAt: sentAt})
	}
	if claim.Age < sendTimeout {
		return claim.Progress, errUnclear
	}
	progress, _, err := s.store.LookedUpAbsent(s.Context(), claim.MessageID, claim.Token, 0)
	if err == nil && !progress.State.Final() {
		err = errUnclear
	}
	return progress, err
}

// send is the provider accepting a Message 2.
func (s *schedule) send(claim store.Claim) {
	s.tell("Message 2 leaves")
	if len(s.provider) > 0 {
		s.Fatal("a second Message 2 leaves")
	}
	s.provider[claim.MessageID] = s.now
	s.facts = append(s.facts, newAcks(campaign.Message2, "W2", claim.MessageID)...)
}
