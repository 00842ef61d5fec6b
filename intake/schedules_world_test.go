package intake_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// windowEnd is when the window of every schedule's contact ends. The provider dates
// all its events a day before, which nothing may be judged by.
var windowEnd = time.Date(2025, 12, 14, 16, 15, 0, 0, time.UTC)

// world is what the schedules share: a database whose clock stands until a
// schedule moves it, and which the store reaches through a gate.
type world struct {
	direct *pgx.Conn // the test's own way
	gate   *gate
	store  *store.Store
	seal   *intake.Seal
}

func newWorld(t *testing.T) *world {
	url := testenv.Database(t, migrations.UpAt)
	direct, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, direct.Close(context.Background())) })
	_, err = direct.Exec(t.Context(), `
		CREATE TABLE clock (at timestamptz NOT NULL);
		INSERT INTO clock VALUES (now());
		CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT at FROM clock'`)
	require.NoError(t, err)
	w := &world{direct: direct}
	w.gate, url = openGate(t, url)
	w.store, err = store.Open(t.Context(), url, store.Options{DeviceID: "64a1b2c3d4e5f60718293a4b", Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	key, err := w.store.SealingKey(t.Context())
	require.NoError(t, err)
	w.seal, err = intake.NewSeal(key)
	require.NoError(t, err)
	return w
}

// schedule is one contact of one campaign whose window is about to end.
type schedule struct {
	*rapid.T
	*world
	intake   *intake.Intake
	temporal *temporal
	now      time.Time
	facts    []*fact
	levels   map[campaign.MessageType]int

	provider   map[uuid.UUID]time.Time // the Message 2s it was asked to send, and when
	wasted     int                     // attempts that may have sent nothing
	terminated bool                    // somebody terminated a workflow
}

var (
	theCampaignsID = uuid.MustParse("00000000-0000-4000-8000-000000000001")
	theContactsID  = uuid.MustParse("00000000-0000-4000-8000-000000000002")
	message1ID     = uuid.MustParse("00000000-0000-4000-8000-000000000003")
)

func (w *world) begin(r *rapid.T) *schedule {
	w.openAgain()
	_, err := w.direct.Exec(context.Background(), fmt.Sprintf(`
		DELETE FROM campaigns; DELETE FROM contacts; DELETE FROM webhook_events;
		INSERT INTO contacts (id, phone) VALUES ('%[2]s', '+33639980000');
		INSERT INTO campaigns (id, name, status, device_id, message_1, message_2, scheduled_at, started_at, deadline_at)
		SELECT '%[1]s', 'Test', 'running', id, 'a', 'b', '%[4]s', '%[4]s', '%[5]s' FROM devices;
		INSERT INTO recipients (campaign_id, contact_id, device_id, position, phone, state, wave, message_1_sent_at, window_ends_at)
		SELECT '%[1]s', '%[2]s', id, 1, '+33639980000', 'message_1_sent', 0, '%[4]s', '%[5]s' FROM devices;
		INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type, status, attempts, claimed_at, counted_at, sent_at, provider_id, wa_id)
		SELECT '%[3]s', '%[1]s', '%[2]s', id, 'message_1', 'sent', 1, '%[4]s', '%[4]s', '%[4]s', 'P1', 'W1' FROM devices`,
		theCampaignsID, theContactsID, message1ID,
		windowEnd.Add(-24*time.Hour).Format(time.RFC3339), windowEnd.Format(time.RFC3339)))
	require.NoError(r, err)
	s := &schedule{T: r, world: w, provider: map[uuid.UUID]time.Time{}, levels: map[campaign.MessageType]int{}}
	s.temporal = &temporal{up: true, now: &s.now, contact: contactWorkflow{open: true, timer: windowEnd}}
	s.intake = &intake.Intake{Store: w.store, Workflows: s.temporal, Seal: w.seal, Logger: slog.New(slog.DiscardHandler)}
	for i, kind := range rapid.SliceOfN(rapid.IntRange(0, len(replyKinds)-1), 1, 4).Draw(r, "replies") {
		s.facts = append(s.facts, newReply(i+1, replyKinds[kind]))
	}
	s.facts = append(s.facts, newAcks(campaign.Message1, "W1", message1ID)...)
	s.now = windowEnd.Add(-30 * time.Second)
	s.pass(0)
	return s
}

func (s *schedule) tell(format string, args ...any) {
	s.Logf("%-6s %s", moment(s.now), fmt.Sprintf(format, args...))
}

// moment is a time as seen from the window's end.
func moment(at time.Time) string {
	return fmt.Sprintf("E%+ds", int(at.Sub(windowEnd).Round(time.Second).Seconds()))
}

func (s *schedule) pass(d time.Duration) {
	s.now = s.now.Add(d)
	_, err := s.direct.Exec(s.Context(), `UPDATE clock SET at = $1`, s.now)
	require.NoError(s, err)
}

// fact is something that the provider tells, in any number of webhooks.
type fact struct {
	name, key, json string
	reply           campaign.InteractionType // what kind of reply, if it is one
	message         campaign.MessageType     // what an acknowledgement is about
	level           int                      // and how far that message came

	told    bool
	takenAt time.Time // when it was first taken in
	parked  bool      // one of its webhooks was
}

type replyKind struct {
	kind        campaign.InteractionType
	event, data string
}

var replyKinds = []replyKind{
	{campaign.Text, "message:in:new", `"type":"text","body":"Oui"`},
	{campaign.Text, "message:in:new", `"type":"text","body":"Oui","quoted":{"id":"W1"}`},
	{campaign.Emoji, "message:in:new", `"type":"text","body":"👍"`},
	{campaign.Emoji, "message:reaction", `"type":"reaction","reaction":"👍","messageId":"W1"`},
	{campaign.Voice, "message:in:new", `"type":"audio","media":{"type":"ptt"}`},
	{campaign.Audio, "message:in:new", `"type":"audio","media":{"type":"audio","mime":"audio/mpeg"}`},
	{campaign.Image, "message:in:new", `"type":"image"`},
	{campaign.Video, "message:in:new", `"type":"video"`},
	{campaign.Document, "message:in:new", `"type":"document"`},
}

func newReply(n int, of replyKind) *fact {
	// Reactions to one message are told apart by their emoji.
	data := strings.Replace(of.data, "👍", string([]rune("👍🎉😂🔥")[n-1]), 1)
	return newFact(&fact{name: fmt.Sprintf("reply %d (%s)", n, of.kind), reply: of.kind, json: fmt.Sprintf(
		`{"id":"R%d","event":%q,"created":1765642500,"device":{"id":"64a1b2c3d4e5f60718293a4b"},
		"data":{"id":"R%d","flow":"inbound","fromNumber":"+33639980000","from":"33639980000@c.us",%s}}`, n, of.event, n, data)})
}

// newAcks acknowledge a message. One of them names it by an id that we may not
// know yet.
func newAcks(message campaign.MessageType, waID string, id uuid.UUID) []*fact {
	ack := func(status, more string, level int) *fact {
		return newFact(&fact{name: fmt.Sprintf("%s is %s", message, status), message: message, level: level, json: fmt.Sprintf(
			`{"id":%[1]q,"event":"message:out:ack","created":1765642500,"device":{"id":"64a1b2c3d4e5f60718293a4b"},
			"data":{"id":%[1]q,"flow":"outbound","ack":%[2]q,"to":"33639980000@c.us"%[3]s}}`, waID, status, more)})
	}
	return []*fact{ack("read", "", 3), ack("delivered", fmt.Sprintf(`,"reference":%q`, id), 2)}
}

func newFact(f *fact) *fact {
	events, err := wassenger.ParseWebhook([]byte(f.json))
	if err != nil {
		panic(err)
	}
	f.key = events[0].Key
	return f
}

// webhook is one delivery of facts.
type webhook struct {
	name, key string
	raw       []byte
}

func newWebhook(facts []*fact) webhook {
	if len(facts) == 1 {
		return webhook{facts[0].name, facts[0].key, []byte(facts[0].json)}
	}
	one, other := facts[0], facts[1]
	// The key is not intake's own, but then two rows tell the same, which is worse.
	return webhook{one.name + " and " + other.name, one.key + "+" + other.key, []byte("[" + one.json + "," + other.json + "]")}
}

// What the database holds in the end.

type interaction struct {
	kind       campaign.InteractionType
	receivedAt time.Time
	inTime     bool
}

func (s *schedule) interactions() map[string]interaction {
	rows, err := s.direct.Query(s.Context(), `SELECT event_key, interaction_type, received_at, within_24h FROM interactions`)
	require.NoError(s, err)
	found := map[string]interaction{}
	for rows.Next() {
		var key string
		var i interaction
		require.NoError(s, rows.Scan(&key, &i.kind, &i.receivedAt, &i.inTime))
		found[key] = i
	}
	require.NoError(s, rows.Err())
	return found
}

func (s *schedule) isStored(w webhook) (stored bool) {
	err := s.direct.QueryRow(s.Context(), `SELECT EXISTS (SELECT FROM webhook_events WHERE raw = $1)`, w.raw).Scan(&stored)
	require.NoError(s, err)
	return stored
}

func (s *schedule) state() (state campaign.RecipientState) {
	require.NoError(s, s.direct.QueryRow(s.Context(), `SELECT state FROM recipients`).Scan(&state))
	return state
}

func (s *schedule) unprocessed() (n int) {
	require.NoError(s, s.direct.QueryRow(s.Context(), `SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`).Scan(&n))
	return n
}

func (s *schedule) settled() bool {
	return s.state().Final() && s.unprocessed() == 0 && len(s.parkedWebhooks()) == 0 && !s.temporal.contact.open
}

func (s *schedule) leftOver() string {
	return fmt.Sprintf("the recipient is %s, %d webhooks are unprocessed, %d parked, the workflow is %+v",
		s.state(), s.unprocessed(), len(s.parkedWebhooks()), s.temporal.contact.doing)
}

// message is how far a message came: 1 sent, 2 delivered, 3 read.
type message struct {
	status campaign.MessageStatus
	level  int
}

var bothMessages = []campaign.MessageType{campaign.Message1, campaign.Message2}

func (s *schedule) messages() map[campaign.MessageType]message {
	rows, err := s.direct.Query(s.Context(), `SELECT message_type, status,
		CASE WHEN read_at IS NOT NULL THEN 3 WHEN delivered_at IS NOT NULL THEN 2 WHEN sent_at IS NOT NULL THEN 1 ELSE 0 END FROM messages`)
	require.NoError(s, err)
	found := map[campaign.MessageType]message{}
	for rows.Next() {
		var key campaign.MessageType
		var m message
		require.NoError(s, rows.Scan(&key, &m.status, &m.level))
		found[key] = m
	}
	require.NoError(s, rows.Err())
	return found
}

// requireSoFar requires what holds at any time.
func (s *schedule) requireSoFar() {
	messages := s.messages()
	for _, of := range bothMessages {
		require.GreaterOrEqual(s, messages[of].level, s.levels[of], "how far %s came", of)
		s.levels[of] = messages[of].level
	}
	if state := s.state(); s.now.Before(windowEnd) {
		require.NotContains(s, []campaign.RecipientState{campaign.NoInteraction, campaign.LateInteraction}, state, "before the window has ended")
	}
}
