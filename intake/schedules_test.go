package intake_test

import (
	"flag"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
)

// Whatever comes in whatever order around the end of a window, and whatever stops
// meanwhile: no reply is lost, none is misjudged, nobody gets a second Message 2.
func TestNoScheduleLosesOrMisjudgesAReplyOrSendsASecondMessage2(t *testing.T) {
	trySchedules(t, 100, 1000, 16)
	w := newWorld(t)
	rapid.Check(t, func(r *rapid.T) {
		s := w.begin(r)
		r.Repeat(map[string]func(*rapid.T){
			"":                             func(*rapid.T) { s.requireSoFar() },
			"a webhook comes":              s.webhookComes,
			"a webhook comes, all well":    s.webhookComesAllWell,
			"a webhook is parked":          s.webhookIsParked,
			"time passes":                  s.timePasses,
			"the timer fires":              s.timerFires,
			"the workflow goes on":         s.workflowGoesOn,
			"a parked webhook is taken up": s.parkedWebhookIsTakenUp,
			"the dispatcher looks":         s.dispatcherLooks,
			"the workflow is terminated":   s.workflowIsTerminated,
			"the database stops":           s.databaseStops,
			"the database is up":           s.databaseIsUp,
			"Temporal stops":               s.temporalStops,
			"Temporal is up":               s.temporalIsUp,
			"all is up":                    s.allIsUp,
		})
		s.drain()
		s.judge()
	})
}

// trySchedules says how many schedules to try, and of how many steps on average,
// unless the command line does.
func trySchedules(t *testing.T, usually, soaking, steps int) {
	if os.Getenv("RELANCE_SOAK") != "" {
		usually = soaking
	}
	for name, value := range map[string]int{"rapid.checks": usually, "rapid.steps": steps} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			require.NoError(t, flag.Set(name, strconv.Itoa(value)))
			t.Cleanup(func() { require.NoError(t, flag.Set(name, f.DefValue)) })
		}
	}
}

func (s *schedule) webhookComes(r *rapid.T) {
	facts := []*fact{s.drawFact(r)}
	if rapid.Bool().Draw(r, "two facts in one") {
		facts = append(facts, s.drawFact(r))
	}
	s.deliver(drawDeath(r), facts...)
}

func (s *schedule) webhookComesAllWell(r *rapid.T) { s.deliver(lives, s.drawFact(r)) }

func (s *schedule) webhookIsParked(r *rapid.T) {
	skipUnless(r, s.temporal.up && s.gate.isOpen())
	s.stopDatabase(0, false)
	s.deliver(lives, s.drawFact(r))
	s.startDatabase()
}

func (s *schedule) drawFact(r *rapid.T) *fact {
	return s.facts[rapid.IntRange(0, len(s.facts)-1).Draw(r, "fact")]
}

func drawDeath(r *rapid.T) death { return rapid.SampledFrom(deaths).Draw(r, "process") }

// Whole multiples of ten seconds, so that the very end of the window is met.
func (s *schedule) timePasses(r *rapid.T) {
	s.pass(10 * time.Second * time.Duration(rapid.IntRange(1, 4).Draw(r, "tens of seconds")))
}

func (s *schedule) timerFires(r *rapid.T) { skipUnless(r, s.fireTimer(30*time.Second)) }

func (s *schedule) workflowGoesOn(r *rapid.T) {
	skipUnless(r, s.workflowHasWork())
	steps := rapid.IntRange(1, 4).Draw(r, "steps")
	stop := rapid.SampledFrom(workerStops).Draw(r, "worker")
	for range steps {
		if !s.workflowHasWork() || !s.stepWorkflow(stop) {
			return
		}
	}
}

func (s *schedule) parkedWebhookIsTakenUp(r *rapid.T) {
	parked := s.parkedWebhooks()
	skipUnless(r, len(parked) > 0)
	s.unpark(parked[rapid.IntRange(0, len(parked)-1).Draw(r, "which")], drawDeath(r))
}

func (s *schedule) dispatcherLooks(r *rapid.T) { s.dispatch(drawDeath(r)) }

func (s *schedule) workflowIsTerminated(r *rapid.T) {
	skipUnless(r, s.temporal.up && s.temporal.contact.open)
	s.temporal.contact.open, s.terminated = false, true
	s.tell("somebody terminates the contact's workflow")
}

func (s *schedule) databaseStops(r *rapid.T) {
	skipUnless(r, s.gate.isOpen() && s.mayWasteAnAttempt()) // it may swallow the answer to a claim
	s.stopDatabase(rapid.IntRange(0, 20).Draw(r, "at which request"), rapid.Bool().Draw(r, "back at once"))
}

func (s *schedule) databaseIsUp(r *rapid.T) {
	skipUnless(r, !s.gate.isOpen())
	s.startDatabase()
}

func (s *schedule) temporalStops(r *rapid.T) {
	skipUnless(r, s.temporal.up)
	s.temporal.lastWord = rapid.Bool().Draw(r, "swallows an answer")
	if s.temporal.up = s.temporal.lastWord; s.temporal.up {
		s.tell("Temporal stops at the next request, which it takes and does not answer")
	} else {
		s.tell("Temporal stops")
	}
}

func (s *schedule) temporalIsUp(r *rapid.T) {
	skipUnless(r, !s.temporal.up)
	s.startTemporal()
}

func (s *schedule) startTemporal() {
	s.temporal.up, s.temporal.lastWord = true, false
	s.tell("Temporal is up")
}

func (s *schedule) allIsUp(r *rapid.T) {
	skipUnless(r, !s.temporal.up || !s.gate.isOpen())
	s.startDatabase()
	s.startTemporal()
}

func skipUnless(r *rapid.T, possible bool) {
	if !possible {
		r.SkipNow()
	}
}

// drain lets everything come up again and settle.
func (s *schedule) drain() {
	s.timePasses(s.T) // much may have been left undone over the end of the window
	s.startDatabase()
	s.startTemporal()
	for _, f := range s.facts {
		if f.told && f.takenAt.IsZero() { // refused every time, so the provider repeats it
			s.deliver(lives, f)
			require.False(s, f.takenAt.IsZero(), "%s is refused while everything is up", f.name)
		}
	}
	for wait := 10 * time.Second; wait < 12*time.Hour; wait *= 2 {
		s.pass(wait)
		s.finishWorkflow(rapid.SampledFrom(workerStops).Draw(s.T, "worker"))
		if rapid.Bool().Draw(s.T, "another worker before the acknowledgements") {
			s.finishWorkflow(carriesOn)
		}
		for _, f := range s.facts {
			if f.message == campaign.Message2 && !f.told { // perhaps before we know that it left
				s.deliver(lives, f)
			}
		}
		for _, parked := range s.parkedWebhooks() {
			s.unpark(parked, lives)
		}
		s.dispatch(lives)
		if s.terminated && s.messages()[campaign.Message2].status == campaign.MessageSending {
			s.reviveUnfinished()
		}
		s.finishWorkflow(carriesOn)
		if s.requireSoFar(); s.settled() {
			return
		}
	}
	s.Fatalf("after a day it is still not settled: %s", s.leftOver())
}

// judge compares what came out with the model: a reply counts from when it was
// first taken in, and is in time before the end of the window, not at it; one in
// time earns the one Message 2.
func (s *schedule) judge() {
	state, message2s := campaign.NoInteraction, 0
	replies := s.interactions()
	for _, f := range s.facts {
		if !f.told || f.reply == "" {
			continue
		}
		inTime := f.takenAt.Before(windowEnd)
		switch {
		case inTime:
			state, message2s = campaign.Message2Sent, 1
		case state == campaign.NoInteraction:
			state = campaign.LateInteraction
		}
		stored, kept := replies[f.key]
		require.True(s, kept, "%s is lost", f.name)
		require.Equal(s, f.reply, stored.kind, "the kind of %s", f.name)
		require.Equal(s, inTime, stored.inTime, "%s, taken in at %s, is in time", f.name, moment(f.takenAt))
		// What was parked is dated a little later, see unpark.
		off := stored.receivedAt.Sub(f.takenAt)
		require.True(s, off == 0 || f.parked && off > 0 && off < 10*time.Second,
			"%s was taken in at %s, not %s", f.name, moment(f.takenAt), moment(stored.receivedAt))
		delete(replies, f.key)
	}
	require.Empty(s, replies, "replies that nobody sent")
	require.Equal(s, state, s.state(), "the recipient's state")
	require.Len(s, s.provider, message2s, "Message 2s that left")
	s.judgeMessages(state)
}

// judgeMessages: a message is as far as the furthest acknowledgement taken in.
func (s *schedule) judgeMessages(state campaign.RecipientState) {
	messages := s.messages()
	for _, f := range s.facts {
		if f.told && f.level > 0 {
			require.GreaterOrEqual(s, messages[f.message].level, f.level, "%s", f.name)
		}
	}
	for _, of := range bothMessages {
		m := messages[of]
		if m.level == 0 || m.status == campaign.MessageNoInteraction && state != campaign.Message2Sent {
			continue
		}
		expected := []campaign.MessageStatus{campaign.MessageSent, campaign.MessageDelivered, campaign.MessageRead}[m.level-1]
		require.Equal(s, expected, m.status, "the status of %s", of)
	}
}
