package rehearsal

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// world stands in for database and provider, on the environment's clock, and
// holds the simulated contacts. Its activities take their decisions by the rules
// of package store; sending succeeds and takes no time to speak of.
//
// Activities of one moment run side by side, in any order. The result does not
// depend on the order, so that a rehearsal can be repeated: contacts are alike,
// what becomes of a message is drawn by how many left before it, and admission
// waits until whoever was admitted before has had its turn.
type world struct {
	Settings
	env      *testsuite.TestWorkflowEnvironment
	campaign uuid.UUID

	mu        sync.Mutex
	progress  *sync.Cond // signalled when expected or stopped changes
	stopped   error      // once set, every activity ends what asked for it
	people    []*person
	admitted  int // of people, in their order
	expected  int // of those, who have not come to send their Message 1 yet
	status    campaign.Status
	deadline  time.Time
	count     map[campaign.RecipientState]int
	held      int // recipients that admission holds back for want of quota
	device    device
	answering turns
	waking    turns
	pauses    *rand.Rand
	sentFirst uint64 // how many Message 1s have left
	journal   journal
}

type person struct {
	id        uuid.UUID
	state     campaign.RecipientState
	notBefore time.Time // its slot under pacing
	came      bool      // to send its Message 1
	refused   bool      // a message of it waits for quota
	endsAt    time.Time // of its window
	repliesAt time.Time // zero: never
	replied   bool
}

func newWorld(settings Settings) *world {
	settings.Start = settings.Start.Round(0) // the environment's clock knows no monotonic time
	w := &world{
		Settings: settings, campaign: numbered(0), status: campaign.Scheduled,
		count:  map[campaign.RecipientState]int{campaign.Pending: settings.Contacts},
		pauses: rand.New(rand.NewPCG(settings.Seed, 0)), //nolint:gosec // not a secret
	}
	w.progress = sync.NewCond(&w.mu)
	grid := grid{start: settings.Start, step: tick(settings.Rules)}
	w.answering, w.waking = newTurns(grid), newTurns(grid)
	w.device = newDevice(settings, newTurns(grid))
	for i := range settings.Contacts {
		w.people = append(w.people, &person{id: numbered(i + 1), state: campaign.Pending})
	}
	w.env = newEnvironment(settings.Start)
	w.register()
	return w
}

// numbered is the id of the n-th contact, and of the campaign for 0.
func numbered(n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(n)) //nolint:gosec // never negative
	return id
}

func (w *world) person(id uuid.UUID) *person { return w.people[binary.BigEndian.Uint64(id[8:])-1] }

// become moves a person on, and has the campaign told when everyone is final. The
// caller holds the lock.
func (w *world) become(p *person, next campaign.RecipientState, at time.Time) {
	w.count[p.state]--
	w.count[next]++
	w.journal.note(entry{at: at, from: p.state, to: next})
	p.state = next
	if next.Final() && w.status == campaign.Running && w.notFinal() == 0 {
		w.env.RegisterDelayedCallback(w.tellCampaign, 0)
	}
}

// over ends an activity of a rehearsal that has been stopped.
func (w *world) over() error {
	return temporal.NewNonRetryableApplicationError(w.stopped.Error(), "stopped", w.stopped)
}

func (w *world) freezeAudience(context.Context, uuid.UUID) (activities.FreezeAudienceResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return activities.FreezeAudienceResult{}, w.over()
	}
	w.status, w.deadline = campaign.Running, w.env.Now().Add(w.Rules.Deadline)
	return activities.FreezeAudienceResult{Status: w.status, Recipients: int64(w.Contacts), DeadlineLeft: w.Rules.Deadline}, nil
}

// sendWave sends nothing ahead: each contact comes to send for itself, and only
// what leaves when is of interest.
func sendWave(context.Context, activities.SendWaveInput) (activities.SendWaveResult, error) {
	return activities.SendWaveResult{}, nil
}

func (w *world) sendMessage(_ context.Context, in activities.SendMessageInput) (activities.SendMessageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, p := w.env.Now(), w.person(in.ContactID)
	if !p.came {
		p.came = true
		w.expected--
		w.progress.Broadcast()
	}
	if w.stopped != nil {
		return activities.SendMessageResult{State: campaign.Stopped}, nil
	}
	if !p.isOwed(in.Type) {
		return w.answer(p, now), nil
	}
	if in.Type == campaign.Message1 && !now.Before(w.deadline) {
		w.become(p, campaign.NotSent, now)
		return w.answer(p, now), nil
	}
	if obstacle, wait := w.obstacle(in.Type, p, now); obstacle != "" {
		result := w.answer(p, now)
		result.Obstacle, result.Wait = obstacle, w.waking.next(now.Add(wait)).Sub(now)
		return result, nil
	}
	w.leave(in.Type, p, now)
	return w.answer(p, now), nil
}

// isOwed reports whether the message is next in the person's story.
func (p *person) isOwed(message campaign.MessageType) bool {
	if message == campaign.Message1 {
		return p.state == campaign.Admitted
	}
	return p.state == campaign.Replied
}

func (w *world) answer(p *person, now time.Time) activities.SendMessageResult {
	return activities.SendMessageResult{State: p.state, WindowLeft: p.windowLeft(now)}
}

func (p *person) windowLeft(now time.Time) time.Duration { return max(p.endsAt.Sub(now), 0) }

// obstacle is what keeps a message from leaving now, as a claim decides it.
func (w *world) obstacle(message campaign.MessageType, p *person, now time.Time) (store.Obstacle, time.Duration) {
	if message == campaign.Message1 {
		if wait := w.Rules.Hours.UntilOpen(now); wait > 0 {
			return store.ObstacleHours, wait
		}
		if wait := w.device.paced(p, w.Rules.Pace, now); wait > 0 {
			return store.ObstaclePace, wait
		}
	}
	if w.Rules.Quota.MayLeave(campaign.Usage{Sent: w.device.sent(now)}) {
		return "", 0
	}
	w.refuse(p, now)
	return store.ObstacleQuota, w.device.untilRoom(now)
}

func (w *world) leave(message campaign.MessageType, p *person, now time.Time) {
	at := w.device.leave(message, now)
	w.journal.note(entry{at: at, message: message})
	w.granted(p, now)
	if message == campaign.Message2 {
		w.become(p, campaign.Message2Sent, at)
		return
	}
	w.become(p, campaign.Message1Sent, at)
	p.endsAt = campaign.WindowEnd(at, w.Rules.ReplyWindow)
	w.awaitReply(p, at, now)
}

func (w *world) closeWindow(_ context.Context, in activities.CloseWindowInput) (activities.CloseWindowResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, p := w.env.Now(), w.person(in.ContactID)
	if w.stopped != nil {
		return activities.CloseWindowResult{State: campaign.Stopped}, nil
	}
	if p.state == campaign.Message1Sent && !campaign.InWindow(now, p.endsAt) {
		w.become(p, campaign.NoInteraction, now)
	}
	return activities.CloseWindowResult{State: p.state, WindowLeft: p.windowLeft(now)}, nil
}

func (w *world) closeCampaign(context.Context, uuid.UUID) (activities.CloseCampaignResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return activities.CloseCampaignResult{}, w.over()
	}
	now := w.env.Now()
	result := activities.CloseCampaignResult{Status: w.status, DeadlineLeft: max(w.deadline.Sub(now), 0)}
	result.Unfinished = w.notFinal()
	if result.Unfinished > 0 && result.DeadlineLeft > 0 {
		return result, nil
	}
	result.Closed, w.status = true, campaign.Completed
	w.journal.completed = now
	for _, p := range w.people {
		if p.state == campaign.Pending || p.state == campaign.Admitted {
			w.become(p, campaign.NotSent, now)
			w.granted(p, now)
		}
	}
	w.hold(0, now)
	return result, nil
}

// unfinished is how many are not final, unless the rehearsal has been stopped.
func (w *world) unfinished() (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.notFinal(), w.stopped
}

// notFinal is how many are not final. The caller holds the lock.
func (w *world) notFinal() (n int64) {
	for state, count := range w.count {
		if !state.Final() {
			n += int64(count)
		}
	}
	return n
}
