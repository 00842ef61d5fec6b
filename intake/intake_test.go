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

// bell counts wake-ups.
type bell struct {
	rung []uuid.UUID
	err  error
}

func (b *bell) Wake(_ context.Context, _, contactID uuid.UUID) error {
	b.rung = append(b.rung, contactID)
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
	_, err = s.SettleSent(t.Context(), claim.MessageID, store.Acceptance{ProviderID: "p", WAID: "3EB0AABBCCDDEEFF0011"})
	require.NoError(t, err)
	b := &bell{}
	return &intake.Intake{Store: s, Waker: b, Logger: slog.New(slog.DiscardHandler)}, b, contact
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

func TestWebhookThatCannotBeStoredIsRefused(t *testing.T) {
	in, _, _ := listening(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as good as a database that does not answer
	_, err := in.Receive(ctx, reply("A1"))
	require.Error(t, err)
}

func TestStoredWebhookThatWasForgottenIsProcessedLater(t *testing.T) {
	in, b, contact := listening(t)
	_, err := in.Store.KeepWebhook(t.Context(), "key", reply("A1")) // and then the process died
	require.NoError(t, err)
	events, err := in.Store.UnprocessedWebhooks(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.NoError(t, in.Process(t.Context(), events[0]))
	require.NoError(t, in.Process(t.Context(), events[0]), "twice does no harm")
	require.Equal(t, contact, b.rung[0])
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM interactions`))
}
