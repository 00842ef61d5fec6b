package rehearsal

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/workflows"
)

// awaitReply draws whether and when a person answers a Message 1 that leaves at
// the given moment. The caller holds the lock.
func (w *world) awaitReply(p *person, at, now time.Time) {
	w.sentFirst++
	chance := rand.New(rand.NewPCG(w.Seed, w.sentFirst)) //nolint:gosec // not a secret
	replies, delay := chance.Float64() < w.ReplyRate, w.ReplyAfter.draw(chance)
	if !replies {
		return
	}
	// Nobody answers sooner than the next tick: what happens at this one comes first.
	p.repliesAt = w.answering.next(at.Add(max(delay, w.answering.step)))
	w.env.RegisterDelayedCallback(func() { w.hear(p) }, p.repliesAt.Sub(now))
}

// hear takes a reply in and wakes the person's workflow, as the intake does.
func (w *world) hear(p *person) {
	w.mu.Lock()
	w.reply(p)
	w.mu.Unlock()
	w.wake(p)
}

// reply applies a reply that has come. The caller holds the lock.
func (w *world) reply(p *person) {
	at := p.repliesAt
	p.replied = true
	inTime := campaign.InWindow(at, p.endsAt)
	w.journal.note(entry{at: at, replied: true, late: !inTime})
	switch {
	case inTime && p.state.EarnsMessage2():
		w.become(p, campaign.Replied, at)
	case !inTime && p.state.CanBecome(campaign.LateInteraction):
		w.become(p, campaign.LateInteraction, at)
	}
}

// wake signals a person's workflow. One that has ended cannot be signalled, and
// need not be.
func (w *world) wake(p *person) {
	_ = w.env.SignalWorkflowByID(workflows.ContactID(w.campaign, p.id), workflows.InteractionSignal, nil)
}

// tellCampaign has the campaign's workflow look again, unless it has ended.
func (w *world) tellCampaign() {
	_ = w.env.SignalWorkflowByID(workflows.CampaignID(w.campaign), workflows.DecidedSignal, nil)
}

// hearLateReplies takes in the replies that come when every workflow has ended:
// the environment ends with them, people do not.
func (w *world) hearLateReplies() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.people {
		if !p.repliesAt.IsZero() && !p.replied {
			w.reply(p)
		}
	}
}

// stop ends a rehearsal before its time. Left alone, its workflows would stay
// behind as waiting goroutines for ever: so each is woken and told that it is
// over. It may be called from anywhere.
func (w *world) stop(why error) {
	if w.refuseAll(why) {
		w.env.RegisterDelayedCallback(func() { w.wakeAll(0) }, 0)
	}
}

// refuseAll makes every activity from now on, and one that waits, end what asked
// for it. It reports whether it is the first to do so.
func (w *world) refuseAll(why error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return false
	}
	w.stopped = why
	w.progress.Broadcast()
	return true
}

// wakeAll wakes everyone, as many at a time as the environment can hold, and
// then the campaign.
func (w *world) wakeAll(from int) {
	next := min(from+turnsAtOnce, len(w.people))
	for _, p := range w.people[from:next] {
		w.mu.Lock()
		came := p.came // else its workflow may not be able to hear yet, and is told when it asks
		w.mu.Unlock()
		if came {
			w.wake(p)
		}
	}
	if next < len(w.people) {
		w.env.RegisterDelayedCallback(func() { w.wakeAll(next) }, 0)
		return
	}
	w.mu.Lock()
	frozen := w.status != campaign.Scheduled
	w.mu.Unlock()
	if frozen {
		w.tellCampaign()
	}
}

// wakeHeldUp finds nobody: all have a workflow, and hear of what holds them up.
func (w *world) wakeHeldUp(context.Context, uuid.UUID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return w.over()
	}
	return nil
}
