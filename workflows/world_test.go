package workflows

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// world stands in for database and provider under the activities' production
// names, on the test environment's skipped clock. It keeps the rules that the
// workflows rely on and nothing more.
type world struct {
	ahead func(context.Context, activities.SendWaveInput) (activities.SendWaveResult, error)
	env   *testsuite.TestWorkflowEnvironment
	rules campaign.Rules

	mu         sync.Mutex
	campaign   uuid.UUID
	status     campaign.Status
	deadline   time.Time
	recipients map[uuid.UUID]*person
	order      []uuid.UUID
	ledger     []delivery
	obstacle   store.Obstacle // holds every message up while set
	revive     func()         // is done when those without a workflow are given one

	completedAt       time.Time
	unfinishedAtClose int64
}

type person struct {
	state   campaign.RecipientState
	wave    int
	sentAt  time.Time
	endsAt  time.Time
	message map[campaign.MessageType]time.Time
}

type delivery struct {
	contact uuid.UUID
	kind    campaign.MessageType
	at      time.Time
}

func newWorld(t *testing.T, contacts int) *world {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetStartTime(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	w := &world{
		env: env, rules: campaign.DefaultRules(), campaign: uuid.New(), status: campaign.Scheduled,
		recipients: map[uuid.UUID]*person{},
	}
	for range contacts {
		id := uuid.New()
		w.order = append(w.order, id)
		w.recipients[id] = &person{state: campaign.Pending, message: map[campaign.MessageType]time.Time{}}
	}
	Register(env)
	for name, fn := range map[string]any{
		"FreezeAudience": w.freezeAudience, "AdmitRecipients": w.admitRecipients, "SendMessage": w.sendMessage, "SendWave": w.sendWave,
		"CloseWindow": w.closeWindow, "CloseCampaign": w.closeCampaign, "WakeHeldUp": w.wakeHeldUp,
	} {
		env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return w
}

func (w *world) freezeAudience(context.Context, uuid.UUID) (activities.FreezeAudienceResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == campaign.Scheduled {
		w.status, w.deadline = campaign.Running, w.env.Now().Add(w.rules.Deadline)
	}
	return activities.FreezeAudienceResult{Status: w.status, Recipients: int64(len(w.order)), DeadlineLeft: w.deadline.Sub(w.env.Now())}, nil
}

func (w *world) admitRecipients(_ context.Context, in activities.AdmitRecipientsInput) (activities.AdmitRecipientsResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.env.Now()
	result := activities.AdmitRecipientsResult{Status: w.status, DeadlineLeft: max(w.deadline.Sub(now), 0)}
	usage, firstRoom := w.usage(now)
	free := w.rules.Quota.Admittable(usage)
	for _, id := range w.order {
		p := w.recipients[id]
		if p.state != campaign.Pending {
			continue
		}
		if len(result.Contacts) < min(in.Size, free) && w.status == campaign.Running && result.DeadlineLeft > 0 {
			p.state, p.wave = campaign.Admitted, in.Wave
			result.Contacts = append(result.Contacts, id)
			continue
		}
		result.Left++
	}
	if len(result.Contacts) == 0 && result.Left > 0 && w.status == campaign.Running {
		result.AskAgain = w.rules.Quota.AskAgain(firstRoom.Sub(now))
	}
	return result, nil
}

// sendWave leaves everything to the contacts, or what the test wants sent ahead.
func (w *world) sendWave(ctx context.Context, in activities.SendWaveInput) (result activities.SendWaveResult, err error) {
	if w.ahead != nil {
		return w.ahead(ctx, in)
	}
	return result, nil
}

func (w *world) usage(now time.Time) (campaign.Usage, time.Time) {
	var u campaign.Usage
	first := now.Add(w.rules.Quota.Window)
	for _, d := range w.ledger {
		if expires := d.at.Add(w.rules.Quota.Window); expires.After(now) {
			u.Sent++
			if expires.Before(first) {
				first = expires
			}
		}
	}
	for _, p := range w.recipients {
		switch p.state {
		case campaign.Admitted:
			u.Admitted++
		case campaign.Replied:
			u.Owed++
		case campaign.Message1Sent:
			u.Open++
			if p.endsAt.Before(first) {
				first = p.endsAt
			}
		}
	}
	return u, first
}

func (w *world) sendMessage(_ context.Context, in activities.SendMessageInput) (activities.SendMessageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, p := w.env.Now(), w.recipients[in.ContactID]
	owed := in.Type == campaign.Message1 && p.state == campaign.Admitted || in.Type == campaign.Message2 && p.state == campaign.Replied
	if owed && w.obstacle != "" {
		return activities.SendMessageResult{State: p.state, Obstacle: w.obstacle}, nil
	}
	if owed {
		w.ledger = append(w.ledger, delivery{in.ContactID, in.Type, now})
		p.message[in.Type] = now
		if in.Type == campaign.Message1 {
			p.state, p.sentAt, p.endsAt = campaign.Message1Sent, now, campaign.WindowEnd(now, w.rules.ReplyWindow)
		} else {
			p.state = campaign.Message2Sent
		}
	}
	w.tellFinal()
	return activities.SendMessageResult{State: p.state, WindowLeft: max(p.endsAt.Sub(now), 0)}, nil
}

func (w *world) closeWindow(_ context.Context, in activities.CloseWindowInput) (activities.CloseWindowResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, p := w.env.Now(), w.recipients[in.ContactID]
	if p.state == campaign.Message1Sent && !campaign.InWindow(now, p.endsAt) {
		p.state = campaign.NoInteraction
	}
	w.tellFinal()
	return activities.CloseWindowResult{State: p.state, WindowLeft: max(p.endsAt.Sub(now), 0)}, nil
}

// tellFinal does what the dispatcher does. The caller holds the lock.
func (w *world) tellFinal() {
	if w.status != campaign.Running {
		return
	}
	for _, p := range w.recipients {
		if !p.state.Final() {
			return
		}
	}
	w.env.SignalWorkflow(DecidedSignal, nil)
}

// wakeHeldUp gives those a workflow that are owed a message.
func (w *world) wakeHeldUp(context.Context, uuid.UUID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.revive != nil {
		w.revive()
	}
	return nil
}

func (w *world) closeCampaign(context.Context, uuid.UUID) (activities.CloseCampaignResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.env.Now()
	result := activities.CloseCampaignResult{Status: w.status, DeadlineLeft: max(w.deadline.Sub(now), 0)}
	for _, p := range w.recipients {
		if !p.state.Final() {
			result.Unfinished++
		}
	}
	if result.Unfinished > 0 && result.DeadlineLeft > 0 {
		return result, nil
	}
	result.Closed, w.status = true, campaign.Completed
	w.completedAt, w.unfinishedAtClose = now, result.Unfinished
	for _, p := range w.recipients {
		if p.state == campaign.Pending || p.state == campaign.Admitted {
			p.state = campaign.NotSent
		}
	}
	return result, nil
}

// replies makes a contact answer a while after the start; signalled says whether
// its workflow hears of it.
func (w *world) replies(contact uuid.UUID, after time.Duration, signalled bool) {
	w.env.RegisterDelayedCallback(func() {
		w.mu.Lock()
		p := w.recipients[contact]
		switch {
		case p.state == campaign.Message1Sent && campaign.InWindow(w.env.Now(), p.endsAt):
			p.state = campaign.Replied
		case p.state == campaign.Message1Sent, p.state == campaign.NoInteraction:
			p.state = campaign.LateInteraction
		}
		w.mu.Unlock()
		if signalled {
			// A workflow that has ended cannot be signalled; nothing depends on it.
			_ = w.env.SignalWorkflowByID(ContactID(w.campaign, contact), InteractionSignal, nil)
		}
	}, after)
}

func (w *world) runCampaign(t *testing.T) {
	t.Helper()
	w.env.ExecuteWorkflow(Campaign, CampaignInput{CampaignID: w.campaign})
	require.True(t, w.env.IsWorkflowCompleted())
	require.NoError(t, w.env.GetWorkflowError())
}

func (w *world) runContact(t *testing.T, contact uuid.UUID) campaign.RecipientState {
	t.Helper()
	w.recipients[contact].state = campaign.Admitted
	w.env.ExecuteWorkflow(ContactV2, ContactInput{CampaignID: w.campaign, ContactID: contact})
	require.True(t, w.env.IsWorkflowCompleted())
	require.NoError(t, w.env.GetWorkflowError())
	var state campaign.RecipientState
	require.NoError(t, w.env.GetWorkflowResult(&state))
	return state
}

func (w *world) sent(contact uuid.UUID, message campaign.MessageType) []time.Time {
	var at []time.Time
	for _, d := range w.ledger {
		if d.contact == contact && d.kind == message {
			at = append(at, d.at)
		}
	}
	return at
}
