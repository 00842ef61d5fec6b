package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// bell counts wake-ups, and keeps what is parked.
type bell struct {
	rung    []uuid.UUID
	revived []uuid.UUID
	parked  [][]byte
	err     error
}

func (b *bell) Wake(_ context.Context, _, contactID uuid.UUID) error {
	b.rung = append(b.rung, contactID)
	return b.err
}

func (b *bell) Revive(_ context.Context, _, contactID uuid.UUID) error {
	b.revived = append(b.revived, contactID)
	return b.err
}

func (b *bell) Park(_ context.Context, _ string, sealed []byte) error {
	if b.err == nil {
		b.parked = append(b.parked, sealed)
	}
	return b.err
}

// listening is an intake whose one contact has been sent Message 1.
func listening(t *testing.T) (*intake.Intake, *bell, uuid.UUID) {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: "64a1b2c3d4e5f60718293a4b", Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	contact := uuid.New()
	_, err = s.Pool().Exec(`INSERT INTO contacts (id, phone) VALUES ($1, '+33639980000')`, contact)
	require.NoError(t, err)
	now := time.Now()
	c := store.Campaign{Name: "Test", Status: campaign.Scheduled, ScheduledAt: &now, Message1: "a", Message2: "b", ContactIDs: store.UUIDs{contact}}
	require.NoError(t, s.CreateCampaign(t.Context(), &c))
	_, err = s.FreezeAudience(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = s.Admit(t.Context(), c.ID, 1, 1, 10)
	require.NoError(t, err)
	claim, err := s.Claim(t.Context(), store.MessageKey{CampaignID: c.ID, ContactID: contact, Type: campaign.Message1})
	require.NoError(t, err)
	_, err = s.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p", WAID: "3EB0AABBCCDDEEFF0011"})
	require.NoError(t, err)
	b := &bell{}
	sealingKey, err := s.SealingKey(t.Context())
	require.NoError(t, err)
	seal, err := intake.NewSeal(sealingKey)
	require.NoError(t, err)
	return &intake.Intake{Store: s, Workflows: b, Seal: seal, Logger: slog.New(slog.DiscardHandler)}, b, contact
}

func reply(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"message","event":"message:in:new","created":1765642500,
		"device":{"id":"64a1b2c3d4e5f60718293a4b"},
		"data":{"id":%q,"type":"text","flow":"inbound","fromNumber":"+33639980000","from":"33639980000@c.us","body":"Oui","meta":{}}}`, id, id)
}

func count(t *testing.T, in *intake.Intake, query string) (n int) {
	t.Helper()
	require.NoError(t, in.Store.Pool().QueryRow(query).Scan(&n))
	return n
}

func TestReplyIsStoredAppliedAndItsContactWoken(t *testing.T) {
	in, b, contact := listening(t)
	status, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	require.Equal(t, []uuid.UUID{contact}, b.rung)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events WHERE processed_at IS NOT NULL`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
}

func TestRepeatedWebhookDoesNothing(t *testing.T) {
	in, b, _ := listening(t)
	_, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	status, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusDuplicate, status)
	require.Len(t, b.rung, 1)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions`))
}

func TestMalformedWebhookIsKeptAndAnswered(t *testing.T) {
	in, _, _ := listening(t)
	status, err := in.Receive(t.Context(), []byte(`{"event":`))
	require.NoError(t, err)
	require.Equal(t, intake.StatusErrorLogged, status)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events WHERE error <> '' AND processed_at IS NOT NULL`))
}

func TestLostWakeUpDoesNotLoseTheReply(t *testing.T) {
	in, b, _ := listening(t)
	b.err = errors.New("Temporal is away")
	status, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	owed, err := in.Store.UnansweredReplies(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, owed, 1, "the dispatcher finds it")
}

// away is a context in which the database might as well be away.
func away(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestWebhookThatNeitherDatabaseNorTemporalTakesIsRefused(t *testing.T) {
	in, b, _ := listening(t)
	b.err = errors.New("Temporal is away")
	_, err := in.Receive(away(t), reply("A1"))
	require.Error(t, err)
}

func TestParkedWebhookIsSealedAndCountsFromWhenItWasTakenIn(t *testing.T) {
	in, b, contact := listening(t)
	status, err := in.Receive(away(t), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusParked, status)
	require.Len(t, b.parked, 1)
	require.NotContains(t, string(b.parked[0]), "639980000", "no phone number in a history")
	require.NotContains(t, string(b.parked[0]), "Oui", "no text either")

	_, err = in.Store.Pool().Exec(`UPDATE recipients SET window_ends_at = relance_now() - interval '1 minute'`)
	require.NoError(t, err)
	status, err = in.ReceiveParked(t.Context(), b.parked[0], time.Now().Add(-2*time.Minute))

	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions WHERE within_24h`))
	require.Equal(t, []uuid.UUID{contact}, b.rung)
}

func TestParkedWebhookOfAnotherDatabaseIsNamedAsSuch(t *testing.T) {
	in, b, _ := listening(t)
	_, err := in.Receive(away(t), reply("A1"))
	require.NoError(t, err)
	other, _, _ := listening(t)
	_, err = other.ReceiveParked(t.Context(), b.parked[0], time.Now())
	require.ErrorIs(t, err, intake.ErrForeignSeal)
}

// A doubled webhook: one copy was parked in time, the other reached the database
// only after the window.
func TestRepetitionThatCameLaterDoesNotMakeAParkedReplyLate(t *testing.T) {
	in, b, contact := listening(t)
	_, err := in.Receive(away(t), reply("A1"))
	require.NoError(t, err)
	_, err = in.Store.Pool().Exec(`UPDATE recipients SET window_ends_at = relance_now() - interval '1 minute'`)
	require.NoError(t, err)
	_, err = in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM recipients WHERE state = 'late_interaction'`))

	_, err = in.ReceiveParked(t.Context(), b.parked[0], time.Now().Add(-2*time.Minute))
	require.NoError(t, err)

	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions WHERE within_24h`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM recipients WHERE state = 'replied'`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
	require.Equal(t, []uuid.UUID{contact}, b.revived, "its workflow has ended and a new one is needed")
}

// dueNow makes what the dispatcher would take up in a while due at once.
func dueNow(t *testing.T, in *intake.Intake) []store.WebhookEvent {
	t.Helper()
	_, err := in.Store.Pool().Exec(`UPDATE webhook_events SET due_at = relance_now()`)
	require.NoError(t, err)
	events, err := in.Store.TakeWebhooks(t.Context(), 10)
	require.NoError(t, err)
	return events
}

func TestStoredWebhookThatWasForgottenIsProcessedLater(t *testing.T) {
	in, b, contact := listening(t)
	_, err := in.Store.KeepWebhook(t.Context(), "key", reply("A1"), time.Time{}) // and then the process died
	require.NoError(t, err)
	events := dueNow(t, in)
	require.Len(t, events, 1)
	require.NoError(t, in.Process(t.Context(), events[0]))
	require.NoError(t, in.Process(t.Context(), events[0]), "twice does no harm")
	require.Equal(t, contact, b.rung[0])
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions`))
}

func TestReplyStoredInTimeCountsThoughItsProcessDiedAndTheWindowWasClosedMeanwhile(t *testing.T) {
	in, b, contact := listening(t)
	_, err := in.Store.KeepWebhook(t.Context(), "key", reply("A1"), time.Time{})
	require.NoError(t, err)
	_, err = in.Store.Pool().Exec(`UPDATE recipients SET window_ends_at = relance_now()`)
	require.NoError(t, err)
	progress, err := in.Store.CloseWindow(t.Context(), theCampaign(t, in), contact)
	require.NoError(t, err)
	require.Equal(t, campaign.NoInteraction, progress.State)

	require.NoError(t, in.Process(t.Context(), dueNow(t, in)[0]))

	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM recipients WHERE state = 'replied' AND finished_at IS NULL`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM messages WHERE message_type = 'message_1' AND status = 'sent'`))
	require.Equal(t, []uuid.UUID{contact}, b.revived)
}

func theCampaign(t *testing.T, in *intake.Intake) (id uuid.UUID) {
	t.Helper()
	require.NoError(t, in.Store.Pool().QueryRow(`SELECT id FROM campaigns`).Scan(&id))
	return id
}

func TestAcknowledgementThatComesBeforeItsMessageIsKnownWaitsForIt(t *testing.T) {
	in, _, _ := listening(t)
	_, err := in.Store.Pool().Exec(`UPDATE messages SET wa_id = NULL`) // our own send has not returned
	require.NoError(t, err)
	ack := []byte(`{"id":"3EB0AABBCCDDEEFF0011","event":"message:out:ack","created":1765642500,"device":{"id":"64a1b2c3d4e5f60718293a4b"},
		"data":{"id":"3EB0AABBCCDDEEFF0011","type":"text","flow":"outbound","ack":"read","to":"33639980000@c.us"}}`)
	status, err := in.Receive(t.Context(), ack)
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`))

	_, err = in.Store.Pool().Exec(`UPDATE messages SET wa_id = '3EB0AABBCCDDEEFF0011'`)
	require.NoError(t, err)
	require.NoError(t, in.Process(t.Context(), dueNow(t, in)[0]))

	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM messages WHERE status = 'read'`))
	require.Zero(t, count(t, in, `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`))
}

func TestAcknowledgementOfSomebodyElsesMessageIsGivenUpAfterAWhile(t *testing.T) {
	in, _, _ := listening(t)
	ack := []byte(`{"id":"AAAA","event":"message:out:ack","device":{"id":"64a1b2c3d4e5f60718293a4b"},
		"data":{"id":"AAAA","type":"text","flow":"outbound","ack":"read","to":"33639980000@c.us"}}`)
	_, err := in.Receive(t.Context(), ack)
	require.NoError(t, err)
	_, err = in.Store.Pool().Exec(`UPDATE webhook_events SET received_at = relance_now() - interval '11 minutes'`)
	require.NoError(t, err)
	require.NoError(t, in.Process(t.Context(), dueNow(t, in)[0]))
	require.Zero(t, count(t, in, `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`))
}

func TestStoredWebhookIsTakenByOneDispatcherAndEverMoreRarely(t *testing.T) {
	in, _, _ := listening(t)
	_, err := in.Store.KeepWebhook(t.Context(), "key", reply("A1"), time.Time{})
	require.NoError(t, err)
	require.Len(t, dueNow(t, in), 1)
	again, err := in.Store.TakeWebhooks(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, again)
	_, err = in.Store.Pool().Exec(`UPDATE webhook_events SET received_at = relance_now() - interval '10 minutes'`)
	require.NoError(t, err)
	require.Len(t, dueNow(t, in), 1)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events WHERE due_at BETWEEN relance_now() + interval '9 minutes' AND relance_now() + interval '11 minutes'`))
}

func TestOneEventThatFailsCostsTheOthersNothing(t *testing.T) {
	in, _, _ := listening(t)
	_, err := in.Store.Pool().Exec(`
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;
		CREATE TRIGGER poison BEFORE INSERT ON interactions FOR EACH ROW WHEN (NEW.event_key LIKE '%POISON%') EXECUTE FUNCTION refuse()`)
	require.NoError(t, err)
	both := fmt.Appendf(nil, `[%s,%s]`, reply("POISON"), reply("A1"))
	status, err := in.Receive(t.Context(), both)
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`), "tried again")
}

func TestEmptyBodyIsKeptAndAnswered(t *testing.T) {
	in, _, _ := listening(t)
	status, err := in.Receive(t.Context(), []byte{})
	require.NoError(t, err)
	require.Equal(t, intake.StatusErrorLogged, status)
}
