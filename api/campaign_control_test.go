package api_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

type shownCampaign struct {
	Status       string
	StatusReason string `json:"status_reason"`
}

// frozen starts a campaign to so many contacts, as its workflow would.
func (s *server) frozen(contacts int) uuid.UUID {
	s.t.Helper()
	category := s.category("Audience")
	s.importCSV("?category_id="+category.ID.String(), manyRows(contacts))
	started := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{"category_ids": []uuid.UUID{category.ID}})), 202)
	_, err := s.store.FreezeAudience(s.t.Context(), started.Campaign.ID)
	require.NoError(s.t, err)
	return started.Campaign.ID
}

func TestAdminPausesResumesAndCancelsACampaign(t *testing.T) {
	s := serve(t)
	id := s.frozen(3)
	path := "/campaigns/" + id.String()

	paused := read[shownCampaign](s.call("POST", path+"/pause", nil), 200)
	assert.Equal(t, "paused", paused.Status)
	assert.NotEmpty(t, paused.StatusReason)
	s.engine.awaitTold(t, id)
	assert.Equal(t, "running", read[shownCampaign](s.call("POST", path+"/resume", nil), 200).Status)
	s.engine.awaitTold(t, id, id)
	assert.Equal(t, "cancelled", read[shownCampaign](s.call("POST", path+"/cancel", nil), 200).Status)
	s.engine.awaitTold(t, id, id, id)

	s.call("POST", path+"/resume", nil).problem(409)
	s.call("POST", path+"/retry-failed", nil).problem(409)
	stats := read[struct{ States map[string]int }](s.call("GET", path+"/stats", nil), 200)
	assert.Equal(t, 3, stats.States["not_sent"])
	s.call("POST", "/campaigns/"+uuid.NewString()+"/pause", nil).problem(404)
}

func TestDecisionHoldsAlsoWhenTheWorkflowCannotBeTold(t *testing.T) {
	s := serve(t)
	id := s.frozen(1)
	s.engine.err = errors.New("Temporal is away")

	assert.Equal(t, "paused", read[shownCampaign](s.call("POST", "/campaigns/"+id.String()+"/pause", nil), 200).Status)

	due, err := s.store.ControlDue(t.Context(), id)
	require.NoError(t, err)
	assert.NotNil(t, due, "the dispatcher tells it")
}

func TestADecisionDoesNotWaitForTheEngine(t *testing.T) {
	s := serve(t)
	id := s.frozen(2)
	admission, err := s.store.Admit(t.Context(), id, 1, 1, 10)
	require.NoError(t, err)
	s.engine.block = make(chan struct{})

	assert.Equal(t, 200, s.call("POST", "/contacts/"+admission.Contacts[0].String()+"/opt-out", nil).status)
	assert.Equal(t, "paused", read[shownCampaign](s.call("POST", "/campaigns/"+id.String()+"/pause", nil), 200).Status)

	close(s.engine.block) // both calls are still being made
	s.engine.awaitTold(t, id)
	require.Eventually(t, func() bool {
		s.engine.mutex.Lock()
		defer s.engine.mutex.Unlock()
		return len(s.engine.woken) == 1
	}, 5*time.Second, time.Millisecond)
}

func TestMissedStartWaitsForAnAdmin(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	started := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{
		"contact_ids": []uuid.UUID{c.ID}, "scheduled_at": time.Now().Add(time.Hour),
	})), 202)
	_, err := s.store.Pool().Exec(`UPDATE campaigns SET scheduled_at = now() - interval '61 minutes'`)
	require.NoError(t, err)
	require.NoError(t, s.store.ShelveMissedStarts(t.Context()))
	path := "/campaigns/" + started.Campaign.ID.String()

	shelved := read[shownCampaign](s.call("GET", path, nil), 200)
	assert.Equal(t, "draft", shelved.Status)
	assert.Contains(t, shelved.StatusReason, "missed")

	again := read[startedCampaign](s.call("POST", path+"/start", nil), 202)
	assert.Equal(t, "scheduled", again.Campaign.Status)
	assert.EqualValues(t, 1, again.Forecast.Contacts)
	assert.Equal(t, []uuid.UUID{started.Campaign.ID}, s.engine.started)
	s.call("POST", path+"/start", nil).problem(409)
}

func TestRetryFailedTellsHowManyGetAnotherChance(t *testing.T) {
	s := serve(t)
	id := s.frozen(2)
	admission, err := s.store.Admit(t.Context(), id, 1, 2, 10)
	require.NoError(t, err)
	claim, err := s.store.Claim(t.Context(), store.MessageKey{CampaignID: id, ContactID: admission.Contacts[0], Type: campaign.Message1})
	require.NoError(t, err)
	_, err = s.store.SettleRefused(t.Context(), claim.MessageID, claim.Token, store.Refusal{Reason: campaign.ReasonRefused})
	require.NoError(t, err)

	answered := read[struct{ Retried int }](s.call("POST", "/campaigns/"+id.String()+"/retry-failed", nil), 200)

	assert.Equal(t, 1, answered.Retried)
	s.engine.awaitTold(t, id)
}

type forecast struct {
	Contacts                        int
	ExpectedReplyRate               float64 `json:"expected_reply_rate"`
	Message1                        int     `json:"message_1"`
	Message2                        int     `json:"message_2"`
	NotReached                      int     `json:"not_reached"`
	FirstMessage1At, LastMessage1At time.Time
	CompletesAt                     time.Time `json:"completes_at"`
	Hours                           []struct {
		At                 time.Time
		Message1, Message2 int
	}
}

func TestForecastTellsHowTheQuotaLetsACampaignRunAndKeepsNothing(t *testing.T) {
	s := serve(t)
	category := s.category("Audience")
	s.importCSV("?category_id="+category.ID.String(), manyRows(1200))
	begun := time.Now()

	f := read[forecast](s.call("POST", "/campaigns/forecast", meantFor(object{
		"category_ids": []uuid.UUID{category.ID}, "expected_reply_rate": 0,
	})), 200)

	assert.Equal(t, []int{1200, 1000, 0, 200}, []int{f.Contacts, f.Message1, f.Message2, f.NotReached})
	assert.WithinDuration(t, begun.Add(48*time.Hour), f.CompletesAt, time.Minute)
	require.Len(t, f.Hours, 2, "two rounds, a day apart")
	assert.Empty(t, read[page[object]](s.call("GET", "/campaigns", nil), 200).Items)

	usual := read[forecast](s.call("POST", "/campaigns/forecast", meantFor(object{"category_ids": []uuid.UUID{category.ID}})), 200)
	assert.InDelta(t, 0.3, usual.ExpectedReplyRate, 1e-9)
	p := s.call("POST", "/campaigns/forecast", meantFor(object{"category_ids": nil, "name": ""})).problem(422)
	assert.ElementsMatch(t, []string{"body.name", "body.category_ids"}, p.locations())
}

type monitoring struct {
	Quota struct {
		Limit, Used, Left, Reserved int
		Level                       string
		NextSlotAt                  time.Time `json:"next_slot_at"`
	}
	Device struct {
		ID         string
		Halted     bool
		HaltReason string `json:"halt_reason"`
	}
	ReplyRate         *float64 `json:"reply_rate"`
	RemainingCapacity int      `json:"remaining_capacity"`
	Backlog           struct {
		Webhooks, Answers int
		OldestAnswerAt    *time.Time `json:"oldest_answer_at"`
		OldestWebhookAt   *time.Time `json:"oldest_webhook_at"`
	}
}

func TestMonitoringShowsQuotaDeviceAndReplyRate(t *testing.T) {
	s := serve(t)
	fresh := read[monitoring](s.call("GET", "/monitoring", nil), 200)
	assert.Equal(t, []int{1000, 0, 1000, 0, 500}, []int{fresh.Quota.Limit, fresh.Quota.Used, fresh.Quota.Left, fresh.Quota.Reserved, fresh.RemainingCapacity})
	assert.Equal(t, "ok", fresh.Quota.Level)
	assert.Nil(t, fresh.ReplyRate)

	id := s.frozen(2)
	admission, err := s.store.Admit(t.Context(), id, 1, 2, 10)
	require.NoError(t, err)
	for i, contact := range admission.Contacts {
		claim, err := s.store.Claim(t.Context(), store.MessageKey{CampaignID: id, ContactID: contact, Type: campaign.Message1})
		require.NoError(t, err)
		if i == 0 {
			_, err = s.store.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p"})
		} else {
			_, err = s.store.HaltDevice(t.Context(), claim.MessageID, claim.Token, "HTTP 402")
		}
		require.NoError(t, err)
	}
	_, err = s.store.Apply(t.Context(), campaign.Event{Kind: campaign.EventReply, Key: "k", Phone: "+33639000000", Interaction: campaign.Text}, time.Now())
	require.NoError(t, err)

	busy := read[monitoring](s.call("GET", "/monitoring", nil), 200)
	assert.Equal(t, []int{1, 999, 3}, []int{busy.Quota.Used, busy.Quota.Left, busy.Quota.Reserved})
	assert.True(t, busy.Device.Halted)
	assert.Equal(t, "HTTP 402", busy.Device.HaltReason)
	assert.Equal(t, 1, busy.Backlog.Answers, "owed and held up by the device")
	assert.WithinDuration(t, time.Now(), *busy.Backlog.OldestAnswerAt, time.Minute)
	assert.Zero(t, busy.Backlog.Webhooks)
	require.NotNil(t, busy.ReplyRate)
	assert.InDelta(t, 1, *busy.ReplyRate, 1e-9)
}

func TestTestSendIsRefusedWhileNothingMayLeave(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	started := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	refused := func(prepare string) string {
		_, err := s.store.Pool().Exec(prepare)
		require.NoError(t, err)
		return s.call("POST", "/campaigns/"+started.Campaign.ID.String()+"/test-send", object{"phone": "+33639980007"}).problem(409).Detail
	}

	assert.Contains(t, refused(`UPDATE devices SET halted_at = relance_now(), halt_reason = 'HTTP 402'`), "The device cannot send")
	assert.Contains(t, refused(`UPDATE devices SET halted_at = NULL, halt_reason = '';
		INSERT INTO test_sends (id, device_id, counted_at)
		SELECT gen_random_uuid(), id, relance_now() FROM devices, generate_series(1, 1000)`),
		"no room for a test message")
	assert.Contains(t, refused(`UPDATE devices SET lineage = ''`), "until it is reconciled")
	assert.Empty(t, s.outbox.sent)
}

func TestTestSendLeavesOnceAndCountsAgainstTheQuota(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	started := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	path := "/campaigns/" + started.Campaign.ID.String() + "/test-send"

	sent := read[struct {
		MessageID string `json:"message_id"`
	}](s.call("POST", path, object{"phone": "06 39 98 00 07", "country": "FR"}), 200)

	require.Len(t, s.outbox.sent, 1)
	assert.Equal(t, "+33639980007", s.outbox.sent[0].Phone)
	assert.Equal(t, "Hello there", s.outbox.sent[0].Text)
	assert.Equal(t, sent.MessageID, s.outbox.sent[0].Reference)
	assert.Equal(t, 1, read[monitoring](s.call("GET", "/monitoring", nil), 200).Quota.Used)

	s.outbox.err = &wassenger.Error{Op: "send", Class: wassenger.Rejected}
	s.call("POST", path, object{"phone": "+33639980008"}).problem(422)
	s.outbox.err = &wassenger.Error{Op: "send", Class: wassenger.Unknown}
	s.call("POST", path, object{"phone": "+33639980008"}).problem(502)
	assert.Equal(t, 2, read[monitoring](s.call("GET", "/monitoring", nil), 200).Quota.Used, "a refused one gives its place back, an unclear one does not")

	s.call("POST", "/contacts/"+c.ID.String()+"/opt-out", nil)
	p := s.call("POST", path, object{"phone": "+33639980001"}).problem(422)
	assert.Equal(t, []string{"body.phone"}, p.locations())
	s.call("POST", path, object{"phone": "12"}).problem(422)
}
