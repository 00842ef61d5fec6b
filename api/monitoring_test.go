package api_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// health is what monitoring says of who works for it.
type health struct {
	Temporal, Redis string
	Workers         struct {
		OK         bool
		Reason     string
		Polling    int
		LastSeenAt *time.Time `json:"last_seen_at"`
	}
}

func TestMonitoringTellsWhetherSomebodyRunsCampaigns(t *testing.T) {
	lastSeen := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		polling  int
		lastSeen time.Time
		err      error
		temporal string
		ok       bool
		reason   string
	}{
		"two workers":          {polling: 2, lastSeen: lastSeen, temporal: "ok", ok: true},
		"none any more":        {lastSeen: lastSeen, temporal: "ok", reason: "relance worker"},
		"none ever":            {temporal: "ok", reason: "relance worker"},
		"Temporal unreachable": {err: errors.New("connection refused"), temporal: "unreachable", reason: "Temporal does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.engine.workers = func(context.Context) (int, time.Time, error) { return c.polling, c.lastSeen, c.err }
			got := read[health](s.call("GET", "/monitoring", nil), 200)
			assert.Equal(t, c.temporal, got.Temporal)
			assert.Equal(t, "off", got.Redis)
			assert.Equal(t, c.ok, got.Workers.OK)
			assert.Contains(t, got.Workers.Reason, c.reason)
			assert.Equal(t, c.ok, got.Workers.Reason == "")
			assert.Equal(t, c.polling, got.Workers.Polling)
			assert.Equal(t, c.lastSeen.IsZero(), got.Workers.LastSeenAt == nil)
			if got.Workers.LastSeenAt != nil {
				assert.Equal(t, lastSeen, *got.Workers.LastSeenAt)
			}
		})
	}
}

func TestMonitoringSeesRedis(t *testing.T) {
	s, redis := cached(t)
	assert.Equal(t, "ok", read[health](s.call("GET", "/monitoring", nil), 200).Redis)
	redis.Close()
	assert.Eventually(t, func() bool {
		return read[health](s.call("GET", "/monitoring", nil), 200).Redis == "unreachable"
	}, time.Minute, 50*time.Millisecond)
}

func TestMonitoringDoesNotWaitForATemporalThatHangs(t *testing.T) {
	s := serve(t)
	var asked atomic.Int64
	hanging := make(chan struct{})
	t.Cleanup(func() { close(hanging) })
	s.engine.workers = func(context.Context) (int, time.Time, error) {
		asked.Add(1)
		<-hanging // for as long as the test wants, whatever the time
		return 0, time.Time{}, errors.New("away")
	}
	answers := make(chan answer, 20)
	for range cap(answers) {
		go func() { answers <- s.call("GET", "/monitoring", nil) }()
	}
	for range cap(answers) {
		got := read[health](<-answers, 200)
		assert.Equal(t, "unknown", got.Temporal)
		assert.False(t, got.Workers.OK)
		assert.Equal(t, "Temporal has not answered yet.", got.Workers.Reason)
	}
	assert.EqualValues(t, 1, asked.Load(), "one asks for all")

	hanging <- struct{}{}
	learnt := func() bool {
		return read[health](s.call("GET", "/monitoring", nil), 200).Workers.Reason == "Temporal does not answer."
	}
	require.Eventually(t, func() bool { return learnt() && asked.Load() == 2 }, time.Minute, 10*time.Millisecond, "it is asked again")
	assert.True(t, learnt(), "what was learnt is told while somebody asks again")
}

type failure struct {
	Kind, Reason string
	At           time.Time
	ID           uuid.UUID
	CampaignID   *uuid.UUID `json:"campaign_id"`
	ContactID    *uuid.UUID `json:"contact_id"`
	MessageType  *string    `json:"message_type"`
}

func (s *server) failures() []failure {
	s.t.Helper()
	return read[struct{ Errors []failure }](s.call("GET", "/monitoring", nil), 200).Errors
}

func TestMonitoringListsWhatWentWrongNewestFirst(t *testing.T) {
	s := serve(t)
	assert.Empty(t, s.failures())
	assert.NotNil(t, s.failures(), "an empty list, not null")
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := s.store.Pool().Exec(query, args...)
		require.NoError(t, err)
	}

	id := s.frozen(2)
	admission, err := s.store.Admit(t.Context(), id, 1, 2, 10)
	require.NoError(t, err)
	require.Len(t, admission.Contacts, 2)
	var messages []uuid.UUID
	for _, contact := range admission.Contacts {
		claim, err := s.store.Claim(t.Context(), store.MessageKey{CampaignID: id, ContactID: contact, Type: campaign.Message1})
		require.NoError(t, err)
		messages = append(messages, claim.MessageID)
		if len(messages) == 1 {
			_, err = s.store.SettleRefused(t.Context(), claim.MessageID, claim.Token, store.Refusal{Reason: campaign.ReasonRefused, Detail: "HTTP 400"})
			require.NoError(t, err)
			continue
		}
		exec(`UPDATE messages SET claimed_at = claimed_at - interval '25 hours' WHERE id = $1`, claim.MessageID)
		_, gaveUp, err := s.store.GiveUp(t.Context(), claim.MessageID, claim.Token.Add(-25*time.Hour))
		require.NoError(t, err)
		require.True(t, gaveUp)
	}
	broken, err := s.store.KeepWebhook(t.Context(), "broken", []byte("{"), time.Time{})
	require.NoError(t, err)
	require.NoError(t, s.store.FinishWebhook(t.Context(), broken.ID, "", "unexpected end of JSON"))
	imported := uuid.New()
	exec(`INSERT INTO import_jobs (id, state, error, finished_at) VALUES ($1, 'failed', 'line 3: too long', relance_now())`, imported)
	// Neither one that was applied nor one that still may be is among them.
	for _, key := range []string{"stuck", "waiting", "applied"} {
		_, err := s.store.KeepWebhook(t.Context(), key, []byte("{}"), time.Time{})
		require.NoError(t, err)
	}
	exec(`UPDATE webhook_events SET tries = 4 WHERE dedupe_key IN ('stuck', 'waiting')`)
	exec(`UPDATE webhook_events SET processed_at = relance_now() WHERE dedupe_key = 'applied'`)
	exec(`UPDATE webhook_events SET received_at = received_at - interval '11 minutes' WHERE dedupe_key IN ('stuck', 'applied')`)

	listed := s.failures()
	require.Len(t, listed, 5)
	kinds, byKind := []string{}, map[string]failure{}
	for _, f := range listed {
		kinds = append(kinds, f.Kind)
		byKind[f.Kind+f.Reason] = f
	}
	assert.Equal(t, []string{"import_failed", "webhook_failed", "message_unknown", "message_failed", "webhook_failed"}, kinds)
	refused := byKind["message_failedHTTP 400"]
	assert.Equal(t, []any{messages[0], id, admission.Contacts[0], "message_1"}, []any{refused.ID, *refused.CampaignID, *refused.ContactID, *refused.MessageType})
	assert.WithinDuration(t, time.Now(), refused.At, time.Minute)
	assert.Equal(t, messages[1], listed[2].ID)
	assert.NotEmpty(t, listed[2].Reason)
	assert.Equal(t, imported, byKind["import_failedline 3: too long"].ID)
	assert.Nil(t, byKind["import_failedline 3: too long"].CampaignID)
	assert.Equal(t, broken.ID, byKind["webhook_failedunexpected end of JSON"].ID)
	assert.Equal(t, "not applied after 4 tries", listed[4].Reason)

	_, err = s.store.RetryFailed(t.Context(), id)
	require.NoError(t, err)
	for _, f := range s.failures() {
		assert.NotEqual(t, "message_failed", f.Kind, "it is being tried again")
	}
}

func TestMonitoringListsFiftyFailuresAtMost(t *testing.T) {
	s := serve(t)
	_, err := s.store.Pool().Exec(`
		INSERT INTO webhook_events (id, dedupe_key, raw, processed_at, error, received_at)
		SELECT gen_random_uuid(), 'key ' || n, '{}', now(), 'no. ' || n, now() - make_interval(secs => n) FROM generate_series(1, 200) n`)
	require.NoError(t, err)
	listed := s.failures()
	require.Len(t, listed, 50)
	assert.Equal(t, "no. 1", listed[0].Reason)
	assert.Equal(t, "no. 50", listed[49].Reason)
}
