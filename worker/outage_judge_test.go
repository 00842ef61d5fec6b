package worker_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/workflows"
)

// answered is one delivery of a reply as its sender saw it.
type answered struct {
	event, phone string
	began, kept  time.Time // the first attempt, and the first answer of 200
	said         string
}

// insist delivers a webhook as the provider does, again until it is accepted.
func (r *relance) insist(t assert.TestingT, event, phone string) answered {
	one := answered{event: event, phone: phone, began: time.Now()}
	for {
		code, said, err := r.post(replyWebhook(event, phone))
		if err == nil && code == http.StatusOK {
			one.kept, one.said = time.Now(), said
			return one
		}
		if time.Since(one.began) > patience {
			t.Errorf("%s: refused for %s", event, patience)
			return one
		}
		<-time.After(100 * time.Millisecond)
	}
}

type recipientWindow struct {
	contact uuid.UUID
	phone   string
	end     time.Time
}

// windows are those of the contacts who have been sent Message 1.
func (r *relance) windows(id uuid.UUID) (windows []recipientWindow, err error) {
	rows, err := r.store.Pool().QueryContext(r.t.Context(), `
		SELECT contact_id, phone, window_ends_at FROM recipients
		WHERE campaign_id = $1 AND window_ends_at IS NOT NULL ORDER BY window_ends_at`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var w recipientWindow
		if err := rows.Scan(&w.contact, &w.phone, &w.end); err != nil {
			return nil, err
		}
		windows = append(windows, w)
	}
	return windows, rows.Err()
}

// parkedID is the id of the workflow that parks a reply, if any does.
func (r *relance) parkedID(event, phone string) string {
	r.t.Helper()
	events, err := wassenger.ParseWebhook(replyWebhook(event, phone))
	require.NoError(r.t, err)
	require.Len(r.t, events, 1)
	return workflows.ParkedWebhookID(fmt.Sprintf("%x", sha256.Sum256([]byte(events[0].Key))))
}

// handedOver waits until Temporal has handed a parked reply over to the database.
// latest is how late the reply may then be dated: by no more than the hand-over
// took after when it was parked.
func (r *relance) handedOver(event, phone string) (latest time.Time, wasParked bool) {
	r.t.Helper()
	id := r.parkedID(event, phone)
	err := r.engine.Client.GetWorkflow(r.t.Context(), id, "").Get(r.t.Context(), nil)
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return time.Time{}, false
	}
	require.NoError(r.t, err)
	var parked, began, done time.Time
	history := r.engine.Client.GetWorkflowHistory(r.t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(r.t, err)
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			parked = event.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			began = event.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			done = event.GetEventTime().AsTime()
		}
	}
	require.False(r.t, parked.IsZero() || began.IsZero() || done.IsZero(), "its history is not whole")
	return parked.Add(done.Sub(began)), true
}

// awaitNothingUnapplied waits until all that was stored has been applied, and
// whoever is owed something for it has got it.
func (r *relance) awaitNothingUnapplied() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		return r.countAll(`SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`) == 0 && r.countAll(`
			SELECT count(*) FROM recipients WHERE finished_at IS NULL`) == 0
	}, patience, 50*time.Millisecond, "what was stored is applied, and whoever is owed something has got it")
}

func (r *relance) countAll(query string) (n int) {
	r.t.Helper()
	require.NoError(r.t, r.store.Pool().QueryRow(query).Scan(&n))
	return n
}

// told is what the senders of a reply know of it: it was not sent earlier than
// this, and has been accepted later than that.
type told struct{ earliest, latest time.Time }

// toldOf brings together what was seen of each reply. One that was parked is
// stored when this returns.
func (r *relance) toldOf(all []answered) map[string]told {
	r.t.Helper()
	replies := map[string]told{}
	for _, one := range all {
		reply, known := replies[one.event]
		latest, wasParked := r.handedOver(one.event, one.phone)
		if one.said != intake.StatusParked && (!wasParked || one.kept.Before(latest)) {
			latest = one.kept
		}
		if !known || one.began.Before(reply.earliest) {
			reply.earliest = one.began
		}
		if !known || latest.Before(reply.latest) {
			reply.latest = latest
		}
		replies[one.event] = reply
	}
	return replies
}

// judge holds what Relance recorded and decided against what the senders saw and
// the provider accepted: every accepted reply is recorded once, dated between its
// sending and its acceptance, and a contact gets Message 2 if and only if one of
// them came before the window's end.
func (r *relance) judge(id uuid.UUID, all []answered) {
	r.t.Helper()
	replies := r.toldOf(all)
	r.awaitNothingUnapplied()
	r.requireLedger(id)
	inTime, recorded := map[uuid.UUID]bool{}, 0
	rows, err := r.store.Pool().Query(`
		SELECT i.event_key, i.contact_id, i.received_at, i.within_24h, i.received_at < r.window_ends_at
		FROM interactions i JOIN recipients r USING (campaign_id, contact_id) WHERE campaign_id = $1`, id)
	require.NoError(r.t, err)
	defer rows.Close()
	for rows.Next() {
		var key string
		var contact uuid.UUID
		var received time.Time
		var within, before bool
		require.NoError(r.t, rows.Scan(&key, &contact, &received, &within, &before))
		recorded++
		event := strings.Split(key, "|")[2]
		reply, ok := replies[event]
		require.True(r.t, ok, "nobody sent %s", event)
		require.Equal(r.t, before, within, "%s is judged by when it was taken in", event)
		require.False(r.t, received.Before(reply.earliest), "%s is dated %v before it was sent", event, reply.earliest.Sub(received))
		require.False(r.t, received.After(reply.latest), "%s is dated %v after it was accepted", event, received.Sub(reply.latest))
		inTime[contact] = inTime[contact] || within
	}
	require.NoError(r.t, rows.Err())
	require.Equal(r.t, len(replies), recorded, "every accepted reply is recorded once")
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	for _, c := range recipients {
		want := campaign.NoInteraction
		if replied, ok := inTime[c.ContactID]; ok && replied {
			want = campaign.Message2Sent
		} else if ok {
			want = campaign.LateInteraction
		}
		require.Equal(r.t, want, c.State)
	}
}
