package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const device = "64a1b2c3d4e5f60718293a4b"

// bench is a store on a database of its own, with a campaign's worth of ways to
// prepare and to look.
type bench struct {
	*store.Store
	t   testing.TB
	url string
}

// open gives a store on a fresh database. The rules are the owner's unless changed.
func open(t testing.TB, change ...func(*campaign.Rules)) bench {
	t.Helper()
	rules := campaign.DefaultRules()
	for _, c := range change {
		c(&rules)
	}
	return connect(t, testenv.Database(t, migrations.UpAt), rules)
}

func connect(t testing.TB, url string, rules campaign.Rules) bench {
	t.Helper()
	s, err := store.Open(context.Background(), url, store.Options{DeviceID: device, Rules: rules})
	require.NoError(t, err)
	b := bench{Store: s, t: t, url: url}
	t.Cleanup(func() {
		b.requireExactStats()
		require.NoError(t, s.Close())
	})
	return b
}

// reopen is the same database after a restart with other rules.
func (b bench) reopen(rules campaign.Rules) bench {
	b.t.Helper()
	return connect(b.t, b.url, rules)
}

func (b bench) exec(query string, args ...any) {
	b.t.Helper()
	_, err := b.Pool().Exec(query, args...)
	require.NoError(b.t, err)
}

// one reads a single value.
func one[T any](b bench, query string, args ...any) T {
	b.t.Helper()
	var value T
	require.NoError(b.t, b.Pool().QueryRow(query, args...).Scan(&value))
	return value
}

// ahead sets the database's clock ahead of the real one.
func (b bench) ahead(d time.Duration) {
	b.t.Helper()
	b.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT clock_timestamp() + interval '%d milliseconds' $$`, d.Milliseconds()))
}

func (b bench) contacts(n int) []uuid.UUID {
	b.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.New()
		b.exec(`INSERT INTO contacts (id, phone, name, created_at) VALUES ($1, $2, $3, $4)`,
			ids[i], phone(i), fmt.Sprintf("Contact %d", i), time.Now().Add(time.Duration(i)*time.Millisecond))
	}
	return ids
}

func phone(i int) string { return fmt.Sprintf("+33639%06d", 980000+i) }

// launched gives a running campaign to these contacts.
func (b bench) launched(contacts []uuid.UUID) uuid.UUID {
	b.t.Helper()
	now := time.Now()
	c := store.Campaign{
		Name: "Test", Status: campaign.Scheduled, ScheduledAt: &now,
		Message1: "Hello {{name|you}}", Message2: "Thank you {{name}}", ContactIDs: contacts,
	}
	require.NoError(b.t, b.CreateCampaign(b.t.Context(), &c))
	_, err := b.FreezeAudience(b.t.Context(), c.ID)
	require.NoError(b.t, err)
	return c.ID
}

func (b bench) admit(campaignID uuid.UUID, wave, size int) []uuid.UUID {
	b.t.Helper()
	admission, err := b.Admit(b.t.Context(), campaignID, wave, size, 1_000_000)
	require.NoError(b.t, err)
	return admission.Contacts
}

func key(campaignID, contactID uuid.UUID, messageType campaign.MessageType) store.MessageKey {
	return store.MessageKey{CampaignID: campaignID, ContactID: contactID, Type: messageType}
}

func (b bench) claim(k store.MessageKey) store.Claim {
	b.t.Helper()
	claim, err := b.Claim(b.t.Context(), k)
	require.NoError(b.t, err)
	return claim
}

// send claims a message and settles it as accepted.
func (b bench) send(k store.MessageKey) store.Claim {
	b.t.Helper()
	claim := b.claim(k)
	require.Equal(b.t, store.Granted, claim.Verdict)
	_, err := b.SettleSent(b.t.Context(), accepted(claim))
	require.NoError(b.t, err)
	return claim
}

func accepted(claim store.Claim) store.Acceptance {
	return store.Acceptance{MessageID: claim.MessageID, ProviderID: "p-" + claim.MessageID.String(), WAID: "w-" + claim.MessageID.String()}
}

// messaged gives a campaign whose contacts have all been sent Message 1.
func (b bench) messaged(n int) (uuid.UUID, []uuid.UUID) {
	b.t.Helper()
	contacts := b.contacts(n)
	id := b.launched(contacts)
	require.Len(b.t, b.admit(id, 1, n), n)
	for _, contact := range contacts {
		b.send(key(id, contact, campaign.Message1))
	}
	return id, contacts
}

func (b bench) state(campaignID, contactID uuid.UUID) campaign.RecipientState {
	b.t.Helper()
	return campaign.RecipientState(one[string](b, `SELECT state FROM recipients WHERE campaign_id = $1 AND contact_id = $2`, campaignID, contactID))
}

func (b bench) reason(campaignID, contactID uuid.UUID) campaign.Reason {
	b.t.Helper()
	return campaign.Reason(one[string](b, `SELECT state_reason FROM recipients WHERE campaign_id = $1 AND contact_id = $2`, campaignID, contactID))
}

func (b bench) status(messageID uuid.UUID) campaign.MessageStatus {
	b.t.Helper()
	return campaign.MessageStatus(one[string](b, `SELECT status FROM messages WHERE id = $1`, messageID))
}

// reply makes the i-th contact answer.
func (b bench) reply(i int, event string) store.Effect {
	b.t.Helper()
	effect, err := b.Apply(b.t.Context(), campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: event, Phone: phone(i), Interaction: campaign.Text, Body: "Oui",
	}, b.now())
	require.NoError(b.t, err)
	return effect
}

func (b bench) ack(status campaign.MessageStatus, at time.Time, about campaign.Event) store.Effect {
	b.t.Helper()
	about.Kind, about.Name, about.Status, about.At = campaign.EventAck, "message:out:ack", status, at
	effect, err := b.Apply(b.t.Context(), about, b.now())
	require.NoError(b.t, err)
	return effect
}
