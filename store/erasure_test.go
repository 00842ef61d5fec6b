package store_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// personal are all columns in which something about a person may stand. Ada, of
// whom the tests below know, stands in each of them.
var personal = []string{
	"contacts.attributes", "contacts.name", "contacts.phone",
	"idempotency_keys.body",
	"import_batches.attributes", "import_batches.names", "import_batches.phones",
	"import_rejections.cells", "import_rejections.reason",
	"interactions.event_key",
	"messages.error", "messages.wa_id",
	"opt_outs.phone",
	"recipients.phone", "recipients.variables",
	"webhook_events.dedupe_key", "webhook_events.raw",
}

// impersonal are the other columns that could hold a text. Whoever adds one says
// here, or above, what it holds; above, the tests then have to find Ada in it.
var impersonal = []string{
	"api_tokens.name", "api_tokens.token_hash",
	"audit_log.action", "audit_log.details", "audit_log.outcome",
	"campaign_stats.what",
	"campaigns.device_id", "campaigns.message_1", "campaigns.message_1_media_url", "campaigns.message_2", "campaigns.message_2_media_url",
	"campaigns.name", "campaigns.status", "campaigns.status_reason",
	"categories.name",
	"daily_stats.device_id",
	"devices.halt_reason", "devices.id", "devices.lineage",
	"erased_numbers.hash",
	"erasures.numbers", // while an erasure is under way
	"hashing_keys.inner_pad", "hashing_keys.outer_pad",
	"idempotency_keys.content_type", "idempotency_keys.fingerprint", "idempotency_keys.key_hash", "idempotency_keys.location",
	"import_jobs.columns", "import_jobs.error", "import_jobs.on_duplicate", "import_jobs.state",
	"interactions.interaction_type",
	"login_attempts.subject",
	"messages.device_id", "messages.message_type", "messages.provider_id", "messages.status",
	"recipients.device_id", "recipients.state", "recipients.state_reason",
	"sealing_keys.key",
	"sessions.agent", "sessions.token_hash",
	"stat_changes.device_id", "stat_changes.what",
	"test_sends.device_id", "test_sends.error",
	"users.email", "users.password_hash", "users.role",
	"webhook_events.error", "webhook_events.outcome",
}

// columns lists every column of the schema of a given sort.
func (b bench) columns(sort string) []string {
	b.t.Helper()
	rows, err := b.Pool().Query(`
		SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.table_name NOT IN ('goose_db_version', 'goose_lock') AND ` + sort + `
		ORDER BY 1`)
	require.NoError(b.t, err)
	defer rows.Close()
	var found []string
	for rows.Next() {
		var column string
		require.NoError(b.t, rows.Scan(&column))
		found = append(found, column)
	}
	require.NoError(b.t, rows.Err())
	return found
}

// columnsHolding lists every column of every table, whatever its type, in which any of
// these words stands.
func (b bench) columnsHolding(words ...string) []string {
	b.t.Helper()
	binary := b.columns(`c.data_type = 'bytea'`)
	var holding []string
	for _, column := range b.columns(`true`) {
		table, name, _ := strings.Cut(column, ".")
		in := fmt.Sprintf(`position(w IN CAST(%q AS text))`, name)
		if slices.Contains(binary, column) {
			in = fmt.Sprintf(`position(convert_to(w, 'UTF8') IN %q)`, name)
		}
		if one[bool](b, fmt.Sprintf(`SELECT EXISTS (SELECT FROM %q, unnest(string_to_array($1, '|')) w WHERE %s > 0)`, table, in), strings.Join(words, "|")) {
			holding = append(holding, column)
		}
	}
	return holding
}

// Ada is phone(0); these are what gives her away, in any spelling.
var adas = []string{"33639980000", "639980000", "39 98 00 00", "Ada Lovelace", "Ockham Park", "my secret answer"}

// Bob is phone(1), and everything stays that is his.
var bobs = []string{"33639980001", "Bob Babbage", "Dorset Street", "what Bob answers"}

func TestEveryColumnIsKnownToHoldSomethingPersonalOrNot(t *testing.T) {
	b := open(t)
	known := slices.Concat(personal, impersonal)
	slices.Sort(known)
	assert.Equal(t, known, b.columns(`(c.data_type IN ('text', 'bytea', 'json', 'jsonb', 'xml', 'inet', 'character varying', 'character')
		OR c.data_type = 'ARRAY' AND c.udt_name NOT IN ('_uuid'))`))

	told, err := os.ReadFile("../docs/data-protection.md")
	require.NoError(t, err)
	for _, column := range personal {
		table, _, _ := strings.Cut(column, ".")
		assert.Regexp(t, "(?m)^\\|.*`"+table+"`.*\\|", string(told), "the table of what is kept where")
	}
}

// everywhere stores Ada and Bob in every place that there is, and returns their
// contacts and a campaign that both have answered.
func (b bench) everywhere() (ada, bob, answered uuid.UUID) {
	t := b.t
	t.Helper()
	vip := b.category("VIP")
	known, err := b.CreateContact(t.Context(), store.ContactData{
		Phone: phone(0), Name: "Ada Lovelace", Attributes: store.Attributes{"street": "Ockham Park"}, CategoryIDs: []uuid.UUID{vip}})
	require.NoError(t, err)
	other, err := b.CreateContact(t.Context(), store.ContactData{
		Phone: phone(1), Name: "Bob Babbage", Attributes: store.Attributes{"street": "Dorset Street"}, CategoryIDs: []uuid.UUID{vip}})
	require.NoError(t, err)
	ada, bob = known.ID, other.ID

	answered = b.launched([]uuid.UUID{ada, bob})
	require.Len(t, b.admit(answered, 1, 2), 2)
	for _, contact := range []uuid.UUID{ada, bob} {
		claim := b.claim(key(answered, contact, campaign.Message1))
		_, err := b.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p-" + claim.MessageID.String(), WAID: claim.Phone + "@c.us_3EB0"})
		require.NoError(t, err)
	}
	for i, body := range []string{"my secret answer", "what Bob answers"} {
		event := campaign.Event{Kind: campaign.EventReply, Name: "message:in:new", Key: "in|" + phone(i) + "@c.us", Phone: phone(i), Interaction: campaign.Text, Body: body}
		b.webhook(fmt.Sprintf(`{"event":"message:in:new","data":{"fromNumber":"%s","body":"%s"}}`, phone(i), body), event)
	}
	b.send(key(answered, ada, campaign.Message2))
	b.ack(campaign.MessageFailed, time.Time{}, campaign.Event{Reference: b.messageID(answered, ada, campaign.Message2).String(), Failure: "Ada Lovelace, 33639980000, has no WhatsApp"})
	// Many in one webhook, and one that knows her by our own reference alone.
	b.webhook(`[{"data":{"phone":"+33639980000","body":"my secret answer"}},{"data":{"phone":"+33639980001","body":"what Bob answers"}}]`)
	b.webhook(fmt.Sprintf(`{"event":"message:out:ack","data":{"reference":"%s","chat":"Ada Lovelace"}}`, b.messageID(answered, ada, campaign.Message1)))
	b.launched([]uuid.UUID{ada, bob})

	rejected := store.Import{Columns: []string{"phone", "name"}, Rows: func(yield func(store.ImportRow, error) bool) {
		_ = yield(store.ImportRow{Line: 2, Rejected: `"06 39 98 00 00" has no country`, Cells: []string{"06 39 98 00 00", "Ada Lovelace"}}, nil) &&
			yield(store.ImportRow{Line: 3, Rejected: "name is too long", Cells: []string{"+33639980001", "Bob Babbage"}}, nil)
	}}
	_, err = b.ImportContacts(t.Context(), rejected)
	require.NoError(t, err)
	received := store.Import{Columns: []string{"phone", "name", "street"}, Rows: func(yield func(store.ImportRow, error) bool) {
		_ = yield(store.ImportRow{Line: 2, ContactData: store.ContactData{Phone: phone(0), Name: "Ada Lovelace", Attributes: store.Attributes{"street": "Ockham Park"}}}, nil) &&
			yield(store.ImportRow{Line: 3, ContactData: store.ContactData{Phone: phone(1), Name: "Bob Babbage", Attributes: store.Attributes{"street": "Dorset Street"}}}, nil)
	}}
	_, err = b.ReceiveImport(t.Context(), received)
	require.NoError(t, err)

	user, err := b.CreateUser(t.Context(), "admin@example.com", password, store.Admin)
	require.NoError(t, err)
	for i, name := range []string{"Ada Lovelace", "Bob Babbage"} {
		claim, _, err := b.ClaimKey(t.Context(), user.ID, fmt.Appendf(nil, "hash %d", i), []byte("request"))
		require.NoError(t, err)
		require.NoError(t, b.AnswerKey(t.Context(), claim, store.StoredAnswer{Status: 201, Body: fmt.Appendf(nil, `{"phone":"%s","name":"%s"}`, phone(i), name)}))
	}
	_, _, err = b.SetOptedOut(t.Context(), ada, true)
	require.NoError(t, err)
	return ada, bob, answered
}

// webhook stores a webhook and applies what it says.
func (b bench) webhook(raw string, events ...campaign.Event) store.WebhookEvent {
	b.t.Helper()
	dedupe := uuid.NewString()
	if len(events) > 0 {
		dedupe = events[0].Key
	}
	kept, err := b.KeepWebhook(b.t.Context(), dedupe, []byte(raw), time.Time{}, events...)
	require.NoError(b.t, err)
	for _, event := range events {
		_, err := b.Apply(b.t.Context(), event, kept.ReceivedAt)
		require.NoError(b.t, err)
	}
	if !kept.Erased {
		require.NoError(b.t, b.FinishWebhook(b.t.Context(), kept.ID, "applied", ""))
	}
	return kept
}

func (b bench) erase(who store.Person) (store.Erasure, []store.Recipient) {
	b.t.Helper()
	erasure, ended, err := b.Erase(b.t.Context(), who)
	require.NoError(b.t, err)
	return erasure, ended
}

// searched lets the time pass after which the rest is searched for the erased.
func (b bench) searched() {
	b.t.Helper()
	b.ahead(2 * time.Minute)
	_, err := b.FinishErasures(b.t.Context())
	require.NoError(b.t, err)
}

func TestNothingInAnyColumnOfAnyTableTellsOfWhoWasErased(t *testing.T) {
	for by, who := range map[string]func(ada uuid.UUID) store.Person{
		"by contact": func(ada uuid.UUID) store.Person { return store.Person{ContactID: ada} },
		"by number":  func(uuid.UUID) store.Person { return store.Person{Phone: phone(0)} },
	} {
		t.Run(by, func(t *testing.T) {
			b := open(t)
			ada, _, _ := b.everywhere()
			require.Equal(t, personal, b.columnsHolding(adas...), "Ada stands in every column in which a person may")
			others := b.columnsHolding(bobs...)
			stats, err := b.AllStats(t.Context())
			require.NoError(t, err)

			erasure, _ := b.erase(who(ada))
			require.Equal(t, ada, erasure.ContactID)
			require.Nil(t, erasure.CompletedAt)
			require.Equal(t, []string{
				"erasures.numbers", "idempotency_keys.body", "import_rejections.cells", "import_rejections.reason", "webhook_events.dedupe_key", "webhook_events.raw",
			}, b.columnsHolding(adas...), "what no index leads to is searched a minute later")
			b.searched()

			require.Empty(t, b.columnsHolding(adas...))
			require.Equal(t, others, b.columnsHolding(bobs...), "Bob is still wherever he was")
			again, _ := b.erase(store.Person{ContactID: ada})
			require.NotNil(t, again.CompletedAt)
			require.Equal(t, erasure.ErasedAt, again.ErasedAt)
			after, err := b.AllStats(t.Context())
			require.NoError(t, err)
			require.Equal(t, stats, after, "no number has changed: her opt-out had ended what was under way")
		})
	}
}

func TestNothingMoreIsSentToWhoWasErased(t *testing.T) {
	b := open(t)
	contacts := b.contacts(3)
	id := b.launched(contacts)
	require.Len(t, b.admit(id, 1, 2), 2)
	b.send(key(id, contacts[0], campaign.Message1))
	b.reply(0, "earns Message 2")
	for _, contact := range contacts {
		_, ended := b.erase(store.Person{ContactID: contact})
		require.Equal(t, []store.Recipient{{CampaignID: id, ContactID: contact}}, ended)
	}
	require.Equal(t, []campaign.RecipientState{campaign.Stopped, campaign.NotSent, campaign.NotSent},
		[]campaign.RecipientState{b.state(id, contacts[0]), b.state(id, contacts[1]), b.state(id, contacts[2])})
	require.Equal(t, campaign.ReasonContactDeleted, b.reason(id, contacts[0]))
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[0], campaign.Message2)).Verdict)
	require.Equal(t, store.Recorded, b.claim(key(id, contacts[1], campaign.Message1)).Verdict)
	retried, err := b.RetryFailed(t.Context(), id)
	require.NoError(t, err)
	require.Zero(t, retried)
}

func TestMessageThatIsJustLeavingIsSettledAfterAnErasureAndNeverSentAgain(t *testing.T) {
	for came, settle := range map[string]func(b bench, claim store.Claim) error{
		"it left": func(b bench, claim store.Claim) error {
			_, err := b.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, WAID: phone(0) + "@c.us_3EB0"})
			return err
		},
		"it never left": func(b bench, claim store.Claim) error {
			_, err := b.Release(t.Context(), claim.MessageID, claim.Token, true, "33639980000 is away")
			return err
		},
	} {
		t.Run(came, func(t *testing.T) {
			b := open(t)
			contacts := b.contacts(1)
			id := b.launched(contacts)
			b.admit(id, 1, 1)
			claim := b.claim(key(id, contacts[0], campaign.Message1))

			_, ended := b.erase(store.Person{ContactID: contacts[0]})
			require.Empty(t, ended, "whoever claimed it settles it")
			require.Equal(t, store.Unsettled, b.claim(key(id, contacts[0], campaign.Message1)).Verdict)
			require.NoError(t, settle(b, claim))

			require.Equal(t, store.Recorded, b.claim(key(id, contacts[0], campaign.Message1)).Verdict)
			b.searched()
			require.Empty(t, b.columnsHolding("33639980000"))
		})
	}
}

func TestWhatTheProviderStillTellsOfTheErasedIsNotKept(t *testing.T) {
	b := open(t)
	ada, bob, answered := b.everywhere()
	b.erase(store.Person{ContactID: ada})
	b.searched()
	first := b.messageID(answered, ada, campaign.Message1)

	reply := campaign.Event{Kind: campaign.EventReply, Key: "late|" + phone(0), Phone: phone(0), Interaction: campaign.Text, Body: "my secret answer", QuotedReference: first.String()}
	kept := b.webhook(`{"fromNumber":"+33639980000","body":"my secret answer"}`, reply)
	require.True(t, kept.Erased)
	done, err := b.KeepAcknowledgement(t.Context(), "ack", []byte(`{"phone":"+33639980000"}`),
		campaign.Event{Kind: campaign.EventAck, Status: campaign.MessageRead, Reference: first.String(), Phone: phone(0)})
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, campaign.MessageRead, b.status(first), "statistics stay true")
	failed := campaign.Event{Kind: campaign.EventAck, Key: "failed", Status: campaign.MessageFailed, Reference: b.messageID(answered, ada, campaign.Message2).String(), Failure: "no 33639980000"}
	require.True(t, b.webhook(`{"chat":"Ada Lovelace"}`, failed).Erased, "also where only our own reference tells")
	bobs := campaign.Event{Kind: campaign.EventReply, Key: "bobs", Phone: phone(1), Interaction: campaign.Text, Body: "still here"}
	about, err := b.AboutErased(t.Context(), []campaign.Event{reply, bobs, failed})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true}, about)
	require.False(t, b.webhook(`{"fromNumber":"+33639980001"}`, bobs).Erased)

	require.Empty(t, b.columnsHolding(adas...))
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM interactions WHERE contact_id = $1`, bob))
}

func TestWishToBeLeftAloneOutlivesAnErasure(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	_, _, err := b.SetOptedOut(t.Context(), contacts[0], true)
	require.NoError(t, err)
	for _, contact := range contacts {
		b.erase(store.Person{ContactID: contact})
	}
	b.says(1, "STOP") // who asks for it only now, and is nobody's contact
	b.searched()
	require.Empty(t, b.columnsHolding("33639980000", "33639980001"))

	imported, err := b.ImportContacts(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for i := range 3 {
			if !yield(store.ImportRow{Line: i + 2, ContactData: store.ContactData{Phone: phone(i)}}, nil) {
				return
			}
		}
	}})
	require.NoError(t, err)
	require.EqualValues(t, 3, imported.Imported)
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM contacts WHERE opted_out_at IS NULL`), "all but the third")
	back := one[uuid.UUID](b, `SELECT id FROM contacts WHERE phone = $1`, phone(0))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM recipients WHERE campaign_id = $1`, b.launched([]uuid.UUID{
		back, one[uuid.UUID](b, `SELECT id FROM contacts WHERE phone = $1`, phone(1)), one[uuid.UUID](b, `SELECT id FROM contacts WHERE phone = $1`, phone(2)),
	})))

	_, _, err = b.SetOptedOut(t.Context(), back, false)
	require.NoError(t, err)
	b.erase(store.Person{ContactID: back})
	again, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(0)})
	require.NoError(t, err)
	require.Nil(t, again.OptedOutAt, "who took the wish back may be written to")
}

func TestWhoComesBackIsAnOrdinaryContact(t *testing.T) {
	b := open(t)
	_, contacts := b.messaged(1)
	b.erase(store.Person{ContactID: contacts[0]})
	again, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(0), Name: "Back again"})
	require.NoError(t, err)
	id := b.launched([]uuid.UUID{again.ID})
	b.admit(id, 1, 1)
	b.send(key(id, again.ID, campaign.Message1))
	b.ahead(2 * time.Minute)
	kept := b.webhook(`{"fromNumber":"+33639980000"}`, campaign.Event{Kind: campaign.EventReply, Key: "new", Phone: phone(0), Interaction: campaign.Text, Body: "Yes"})
	require.False(t, kept.Erased)
	_, err = b.FinishErasures(t.Context())
	require.NoError(t, err)
	require.Equal(t, campaign.Replied, b.state(id, again.ID))
	require.Equal(t, []string{"contacts.phone", "recipients.phone", "webhook_events.raw"}, b.columnsHolding("33639980000"), "nothing of what came since is searched")
}

func TestNumberThatIsAnothersByNowIsNotTakenForTheErased(t *testing.T) {
	b := open(t)
	id, contacts := b.messaged(1)
	moved, err := b.UpdateContact(t.Context(), contacts[0], store.ContactData{Phone: phone(7), Name: "Moved"})
	require.NoError(t, err)
	heir, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(0), Name: "Heir"})
	require.NoError(t, err)
	b.erase(store.Person{ContactID: moved.ID})
	_, err = b.Contact(t.Context(), heir.ID)
	require.NoError(t, err)
	require.Zero(t, one[int](b, `SELECT count(*) FROM recipients WHERE campaign_id = $1 AND phone <> ''`, id))
	require.False(t, b.webhook(`{}`, campaign.Event{Kind: campaign.EventReply, Key: "heirs", Phone: phone(0)}).Erased)
}

func TestNobodyIsErasedByAnIdThatNobodyEverHad(t *testing.T) {
	b := open(t)
	_, _, err := b.Erase(t.Context(), store.Person{ContactID: uuid.New()})
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestDeletedContactCanStillBeErased(t *testing.T) {
	b := open(t)
	_, contacts := b.messaged(1)
	require.NoError(t, b.DeleteContact(t.Context(), contacts[0]))
	require.Equal(t, []string{"recipients.phone"}, b.columnsHolding("33639980000"))
	b.erase(store.Person{ContactID: contacts[0]})
	b.searched()
	require.Empty(t, b.columnsHolding("33639980000", "Contact 0"))
}
