package reconcile_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/reconcile"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	device   = "64a1b2c3d4e5f60718293a4b"
	token    = "provider-token"
	patience = time.Minute
	tick     = 20 * time.Millisecond
)

// bench is a database that lacks what has left and what was written since, the
// provider that knows it, and a namespace of Temporal's in which nothing runs.
type bench struct {
	t         testing.TB
	store     *store.Store
	simulator *simulator.Simulator
	provider  *wassenger.Client
	engine    *worker.Engine
	namespace string
	pages     pages
}

func open(t testing.TB, change ...func(*campaign.Rules)) *bench {
	t.Helper()
	rules := campaign.DefaultRules()
	rules.SendSettle = 10 * time.Millisecond
	for _, c := range change {
		c(&rules)
	}
	b := &bench{t: t, namespace: "test-" + uuid.NewString()}
	var err error
	b.store, err = store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: device, Rules: rules})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })

	b.simulator, err = simulator.New(simulator.Config{Token: token, DeviceID: device, DevicePhone: "+33639989999"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.simulator.Close()) })
	server := httptest.NewServer(http.HandlerFunc(b.list))
	t.Cleanup(server.Close)
	b.provider, err = wassenger.New(wassenger.Options{BaseURL: server.URL + "/v1", Token: token, DeviceID: device, Timeout: 10 * time.Second})
	require.NoError(t, err)

	options := client.Options{HostPort: testenv.Temporal(t).Address(), Namespace: b.namespace, Logger: tlog.NewStructuredLogger(slog.New(slog.DiscardHandler))}
	namespaces, err := client.NewNamespaceClient(options)
	require.NoError(t, err)
	defer namespaces.Close()
	require.NoError(t, namespaces.Register(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: b.namespace, WorkflowExecutionRetentionPeriod: durationpb.New(72 * time.Hour),
	}))
	c, err := client.DialContext(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	b.engine = &worker.Engine{Client: c}
	require.Eventually(t, func() bool { return worker.EnsureSearchAttributes(t.Context(), c, b.namespace) == nil }, patience, tick)
	return b
}

// pages changes what the provider answers to a list's page: all is all that it
// has, newest first. A status other than 0 is answered instead.
type pages func(list string, page int, all []json.RawMessage) (listed []json.RawMessage, status int)

const (
	sentList    = "/v1/messages"
	inboundList = "/v1/chat/" + device + "/messages"
)

// list is the simulator's door.
func (b *bench) list(w http.ResponseWriter, r *http.Request) {
	if b.pages == nil || r.Method != http.MethodGet {
		b.simulator.Handler().ServeHTTP(w, r)
		return
	}
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	query.Set("page", "0")
	r.URL.RawQuery = query.Encode()
	whole := httptest.NewRecorder()
	b.simulator.Handler().ServeHTTP(whole, r)
	var all []json.RawMessage
	if err := json.Unmarshal(whole.Body.Bytes(), &all); err != nil {
		http.Error(w, whole.Body.String(), whole.Code)
		return
	}
	listed, status := b.pages(r.URL.Path, page, all)
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	_ = json.NewEncoder(w).Encode(append([]json.RawMessage{}, listed...))
}

// part is a page of so many, after the first so many.
func part(all []json.RawMessage, from, size int) []json.RawMessage {
	from = min(from, len(all))
	return all[from:min(from+size, len(all))]
}

func (b *bench) reconciler() *reconcile.Reconciler {
	return &reconcile.Reconciler{
		Store: b.store, Provider: b.provider, Engine: b.engine, Namespace: b.namespace, SendTimeout: time.Millisecond, Rate: 1000, Apply: true,
	}
}

// run reconciles and agrees.
func (b *bench) run() *reconcile.Report {
	b.t.Helper()
	report, err := b.reconciler().Run(b.t.Context())
	require.NoError(b.t, err)
	require.Empty(b.t, report.Remains)
	return report
}

func phone(i int) string { return fmt.Sprintf("+33639%06d", 980000+i) }

func (b *bench) contacts(n int) []uuid.UUID {
	b.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		contact, err := b.store.CreateContact(b.t.Context(), store.ContactData{Phone: phone(i), Name: fmt.Sprintf("Contact %d", i), Attributes: store.Attributes{}})
		require.NoError(b.t, err)
		ids[i] = contact.ID
	}
	return ids
}

// launched gives a running campaign, all of whose contacts are admitted.
func (b *bench) launched(contacts []uuid.UUID) uuid.UUID {
	b.t.Helper()
	now := time.Now()
	c := store.Campaign{Name: "Test", Status: campaign.Scheduled, ScheduledAt: &now, Message1: "Hello", Message2: "Thank you", ContactIDs: contacts}
	require.NoError(b.t, b.store.CreateCampaign(b.t.Context(), &c))
	_, err := b.store.FreezeAudience(b.t.Context(), c.ID)
	require.NoError(b.t, err)
	admission, err := b.store.Admit(b.t.Context(), c.ID, 1, len(contacts), 1_000_000)
	require.NoError(b.t, err)
	require.Len(b.t, admission.Contacts, len(contacts))
	return c.ID
}

// restored makes the database one that the device has not been using.
func (b *bench) restored() {
	b.t.Helper()
	_, err := b.store.Pool().Exec(`UPDATE devices SET lineage = 'another'`)
	require.NoError(b.t, err)
}

func (b *bench) isRestored() bool {
	b.t.Helper()
	standing, err := b.store.Standing(b.t.Context())
	require.NoError(b.t, err)
	return standing.Restored
}

// left has a message leave that the database does not know to have left.
func (b *bench) left(campaignID, contactID uuid.UUID, kind campaign.MessageType) {
	b.t.Helper()
	b.sent(one[string](b, `SELECT phone FROM contacts WHERE id = $1`, contactID),
		one[string](b, `SELECT relance_message_id($1, $2, $3)`, campaignID, contactID, string(kind)))
}

func (b *bench) sent(to, reference string) {
	b.t.Helper()
	_, err := b.provider.Send(b.t.Context(), wassenger.Outgoing{Phone: to, Text: "Hello", Reference: reference})
	require.NoError(b.t, err)
	b.later()
}

// wrote has a person write what the database does not know of.
func (b *bench) wrote(from, text string) {
	b.t.Helper()
	_, err := b.simulator.Reply(simulator.ReplyRequest{Phone: from, Text: text})
	require.NoError(b.t, err)
	b.later()
}

// later returns in another millisecond of the provider's, which counts in them.
func (b *bench) later() {
	b.t.Helper()
	began := time.Now()
	require.Eventually(b.t, func() bool { return time.Since(began) > 2*time.Millisecond }, patience, time.Millisecond)
}

func (b *bench) requireStates(campaignID uuid.UUID, contacts []uuid.UUID, want ...campaign.RecipientState) {
	b.t.Helper()
	for i, state := range want {
		require.Equal(b.t, string(state), one[string](b, `SELECT state FROM recipients WHERE campaign_id = $1 AND contact_id = $2`, campaignID, contacts[i]), "contact %d", i)
	}
}

// one reads a single value.
func one[T any](b *bench, query string, args ...any) T {
	b.t.Helper()
	var value sql.Null[T]
	require.NoError(b.t, b.store.Pool().QueryRow(query, args...).Scan(&value))
	require.True(b.t, value.Valid, query)
	return value.V
}

// running are the ids of the workflows that run.
func (b *bench) running() []string {
	b.t.Helper()
	listed, err := b.engine.Client.ListWorkflow(b.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: b.namespace, Query: "ExecutionStatus = 'Running'"})
	require.NoError(b.t, err)
	ids := []string{}
	for _, run := range listed.GetExecutions() {
		ids = append(ids, run.GetExecution().GetWorkflowId())
	}
	return ids
}

// requireRunning waits until Temporal lists these workflows, and no others.
func (b *bench) requireRunning(want ...string) {
	b.t.Helper()
	require.EventuallyWithT(b.t, func(c *assert.CollectT) { require.ElementsMatch(c, want, b.running()) }, patience, tick, strings.Join(want, " "))
}

func (b *bench) usage() campaign.Usage {
	b.t.Helper()
	usage, err := b.store.Usage(context.Background())
	require.NoError(b.t, err)
	return usage
}
