package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	adminEmail    = "admin@example.com"
	adminPassword = "correct horse battery"
	adminToken    = "a-token-for-tests-only"
	webhookToken  = "a-webhook-token"
	device        = "64a1b2c3d4e5f60718293a4b"
)

// migrateWithAdmin makes a database with the schema and its first user.
func migrateWithAdmin(ctx context.Context, url string) error {
	if err := migrations.UpAt(ctx, url); err != nil {
		return err
	}
	// Without a device: a copy of a database that has one counts as restored.
	s, err := store.Open(ctx, url, store.Options{Rules: campaign.DefaultRules()})
	if err != nil {
		return err
	}
	_, err = s.Bootstrap(ctx, adminEmail, adminPassword, adminToken)
	return errors.Join(err, s.Close())
}

// engine counts the campaigns that it was asked to start.
type engine struct {
	mutex   sync.Mutex
	started []uuid.UUID
	told    []uuid.UUID
	woken   []uuid.UUID // contacts
	err     error
	block   chan struct{}
	workers func(ctx context.Context) (polling int, lastSeen time.Time, err error)
}

func (e *engine) StartCampaign(ctx context.Context, id uuid.UUID) error {
	if err := e.let(ctx); err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.started = append(e.started, id)
	return e.err
}

// let waits until the engine is not blocked, if it is.
func (e *engine) let(ctx context.Context) error {
	if e.block == nil {
		return nil
	}
	select {
	case <-e.block:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitTold waits until the engine was told of so many decisions.
func (e *engine) awaitTold(t *testing.T, campaigns ...uuid.UUID) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		assert.Equal(c, campaigns, e.told)
	}, 5*time.Second, time.Millisecond)
}

func (e *engine) TellDecided(ctx context.Context, id uuid.UUID) error {
	if err := e.let(ctx); err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.told = append(e.told, id)
	return e.err
}

func (e *engine) Wake(ctx context.Context, _, contactID uuid.UUID) error {
	if err := e.let(ctx); err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.woken = append(e.woken, contactID)
	return e.err
}

func (e *engine) Healthy(context.Context) error { return e.err }

func (e *engine) Workers(ctx context.Context) (polling int, lastSeen time.Time, err error) {
	if e.workers == nil {
		return 0, time.Time{}, e.err
	}
	return e.workers(ctx)
}

// outbox is the provider: it remembers what it was given.
type outbox struct {
	sent []wassenger.Outgoing
	err  error
}

func (o *outbox) Send(_ context.Context, message wassenger.Outgoing) (wassenger.Accepted, error) {
	o.sent = append(o.sent, message)
	return wassenger.Accepted{ProviderID: "p"}, o.err
}

// webhooks remembers what it was given.
type webhooks struct {
	received []string
	status   string
	err      error
}

func (w *webhooks) Receive(_ context.Context, raw []byte) (string, error) {
	w.received = append(w.received, string(raw))
	return w.status, w.err
}

// server is the real API on a real database and a real connection.
type server struct {
	t        testing.TB
	api      *api.API
	store    *store.Store
	engine   *engine
	webhooks *webhooks
	outbox   *outbox
	url      string
	database string // its URL
	log      *bytes.Buffer
}

func serve(t testing.TB, change ...func(*api.Options)) *server {
	t.Helper()
	database := testenv.Database(t, migrateWithAdmin)
	db, err := store.Open(context.Background(), database,
		store.Options{DeviceID: device, Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	s := &server{t: t, store: db, database: database, engine: &engine{}, webhooks: &webhooks{status: "ok"}, outbox: &outbox{}, log: &bytes.Buffer{}}
	t.Cleanup(func() {
		assert.NoError(t, db.Close())
		if t.Failed() {
			t.Logf("the API's log:\n%s", s.log)
		}
	})
	options := api.Options{
		Store: db, Engine: s.engine, Webhooks: s.webhooks, Provider: s.outbox, WebhookTokens: []string{webhookToken},
		RateLimit:     100_000, // tests are quick
		Dashboard:     http.NotFoundHandler(),
		TemporalUIURL: "http://localhost:8233", TemporalNamespace: "default",
		Logger: slog.New(slog.NewJSONHandler(&lockedWriter{to: s.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&options)
	}
	s.api, err = api.New(options)
	require.NoError(t, err)
	t.Cleanup(s.api.Close)
	listening := httptest.NewServer(s.api)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

type lockedWriter struct {
	mutex sync.Mutex
	to    io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.to.Write(p)
}

// header is set on a request.
type header struct{ name, value string }

var nobody = header{"Authorization", ""}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// call sends a request as the admin's token, unless headers say otherwise. A
// body that is no string or reader is sent as JSON.
func (s *server) call(method, path string, body any, headers ...header) answer {
	s.t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case io.Reader:
		content = b
	default:
		encoded, err := json.Marshal(b)
		require.NoError(s.t, err)
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, s.url+path, content)
	require.NoError(s.t, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	given := map[string]bool{}
	for _, h := range headers {
		if !given[h.name] {
			request.Header.Del(h.name)
		}
		if given[h.name] = true; h.value != "" {
			request.Header.Add(h.name, h.value)
		}
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	var answered []byte
	if response.Header.Get("Content-Type") != "text/event-stream" { // which has no end
		answered, err = io.ReadAll(response.Body)
		require.NoError(s.t, err)
	}
	a := answer{t: s.t, status: response.StatusCode, header: response.Header, body: answered}
	s.asDocumented(method, path, a)
	return a
}

// read decodes an answer that must have the given status.
func read[T any](a answer, status int) T {
	a.t.Helper()
	var value T
	require.Equal(a.t, status, a.status, "%s", a.body)
	require.NoError(a.t, json.Unmarshal(a.body, &value), "%s", a.body)
	return value
}

type problem struct {
	Type   string
	Title  string
	Status int
	Detail string
	Errors []struct{ Location, Message string }
}

// problem decodes an answer that must be a problem with the given status.
func (a answer) problem(status int) problem {
	a.t.Helper()
	assert.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	p := read[problem](a, status)
	assert.Equal(a.t, status, p.Status)
	if !strings.Contains(p.Type, "idempotency") { // types that say more than their status
		assert.Equal(a.t, http.StatusText(status), p.Title)
	}
	assert.Regexp(a.t, "^/docs/problems#[a-z-]+$", p.Type)
	assert.NotEmpty(a.t, p.Detail)
	return p
}

// locations are the fields that a problem names.
func (p problem) locations() []string {
	var locations []string
	for _, e := range p.Errors {
		locations = append(locations, e.Location)
	}
	return locations
}

type page[T any] struct {
	Items      []T
	NextCursor *string `json:"next_cursor"`
	Total      *int64
}

type contact struct {
	ID          uuid.UUID
	Phone, Name string
	Attributes  map[string]string
	CategoryIDs []uuid.UUID `json:"category_ids"`
	OptedOutAt  *string     `json:"opted_out_at"`
	CreatedAt   string      `json:"created_at"`
}

type category struct {
	ID           uuid.UUID
	Name         string
	ContactCount int64 `json:"contact_count"`
}

type importJob struct {
	ID                                         uuid.UUID
	State, Error                               string
	Progress                                   float64
	Rows, Imported, Updated, Skipped, Rejected int64
	Errors                                     []struct {
		Line   int
		Reason string
	}
}

type object = map[string]any

func (s *server) contact(phone string, categories ...uuid.UUID) contact {
	s.t.Helper()
	return read[contact](s.call("POST", "/contacts", object{"phone": phone, "name": "Camille", "category_ids": append([]uuid.UUID{}, categories...)}), 201)
}

func (s *server) category(name string) category {
	s.t.Helper()
	return read[category](s.call("POST", "/categories", object{"name": name}), 201)
}

// importCSV imports a file and returns what became of it.
func (s *server) importCSV(query, csv string) importJob {
	s.t.Helper()
	return s.imported(s.call("POST", "/contacts/import"+query, csv, header{"Content-Type", "text/csv"}))
}

// imported waits for the end of an import that has been taken in.
func (s *server) imported(taken answer) importJob {
	s.t.Helper()
	job := read[importJob](taken, 202)
	path := "/imports/" + job.ID.String()
	assert.Equal(s.t, path, taken.header.Get("Location"))
	require.Eventually(s.t, func() bool {
		job = read[importJob](s.call("GET", path, nil), 200)
		return job.State != "running"
	}, time.Minute, 2*time.Millisecond)
	return job
}
