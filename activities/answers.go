package activities

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
)

// Answers sends Message 2s the moment they are owed, ahead of the workflows that
// would, and wakes each workflow when its answer has left. It keeps nothing: what
// is lost with the process, the dispatcher finds in the database.
type Answers struct {
	activities *Activities
	logger     *slog.Logger
	owed       chan errand
	wakeUps    *wakeUps
	ended      atomic.Bool // nobody takes answers over any more
}

const (
	// answersQueued bounds answers that wait for their turn here. What does not fit
	// goes the longer way.
	answersQueued = 2000
	// answerBatches is how many times aheadAtOnce answers are under way at once.
	answerBatches = 4
)

// NewAnswers makes a queue that does nothing until it is run.
func NewAnswers(activities *Activities, logger *slog.Logger) *Answers {
	return &Answers{activities: activities, logger: logger, owed: make(chan errand, answersQueued), wakeUps: newWakeUps(activities.Workflows, logger)}
}

// Owe queues the answer to a recipient whose reply has been committed, on account of
// what ctx is about; that it ends changes nothing. Owe does not wait: taken is false
// if there is no place, or nobody who works any more.
func (q *Answers) Owe(ctx context.Context, recipient store.Recipient) (taken bool) {
	if q.ended.Load() {
		return false
	}
	key := store.MessageKey{CampaignID: recipient.CampaignID, ContactID: recipient.ContactID, Type: campaign.Message2}
	select {
	// Of ctx is kept what tells the cause: not the whole request for as long as this waits.
	case q.owed <- errand{key: key, cause: telemetry.Because(context.Background(), ctx)}:
		return true
	default:
		return false
	}
}

// Run sends answers until the context ends, and then ends those under way. The
// others are left to the dispatcher.
func (q *Answers) Run(ctx context.Context) {
	var batches, wakers sync.WaitGroup
	waking, endWaking := context.WithCancel(context.WithoutCancel(ctx))
	wakers.Go(func() { q.wakeUps.run(waking) })
	defer wakers.Wait()
	defer endWaking()
	defer batches.Wait()
	defer q.ended.Store(true)
	places := make(chan struct{}, answerBatches)
	for {
		var batch []errand
		select {
		case <-ctx.Done():
			return
		case answer := <-q.owed:
			batch = append(batch, answer)
		}
		select {
		case <-ctx.Done():
			return
		case places <- struct{}{}:
		}
		batch = q.more(batch)
		batches.Go(func() {
			defer func() { <-places }()
			// Once begun it is brought to its end: what is claimed must be settled. But a
			// database that does not answer keeps no place for ever, and no process alive.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), AheadTimeout)
			defer cancel()
			q.send(ctx, batch)
		})
	}
}

// more adds what else waits.
func (q *Answers) more(batch []errand) []errand {
	for len(batch) < aheadAtOnce {
		select {
		case answer := <-q.owed:
			batch = append(batch, answer)
		default:
			return batch
		}
	}
	return batch
}

func (q *Answers) send(ctx context.Context, batch []errand) {
	var answers []errand
	seen := map[store.MessageKey]bool{} // a reply may have been applied twice
	for _, answer := range batch {
		if !seen[answer.key] {
			seen[answer.key] = true
			answers = append(answers, answer)
		}
	}
	release := q.guard(ctx, answers)
	defer release()
	_, err := q.activities.sendAhead(ctx, answers, func(answer errand, rest time.Duration) {
		q.wakeUps.add(wakeUp{errand: answer}, rest)
	})
	if err != nil {
		for _, answer := range answers {
			q.logger.WarnContext(telemetry.Because(ctx, answer.cause), "An answer could not be sent at once; its contact's workflow sends it.",
				"campaign_id", answer.key.CampaignID, "contact_id", answer.key.ContactID, "error", err)
		}
	}
}

// guard marks answers as being sent, for whoever looks there first. Whether they
// are is decided by their claims.
func (q *Answers) guard(ctx context.Context, answers []errand) (release func()) {
	guards := q.activities.Answers
	if guards == nil {
		return func() {}
	}
	releases := make([]func(), len(answers))
	var held sync.WaitGroup
	for i, answer := range answers {
		held.Go(func() { releases[i], _ = guards.HoldAnswer(ctx, answer.key.CampaignID, answer.key.ContactID) })
	}
	held.Wait()
	return func() {
		for _, release := range releases {
			release()
		}
	}
}
