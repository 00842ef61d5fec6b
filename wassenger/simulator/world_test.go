package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relance/relance/wassenger/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token    = "secret-key"
	deviceID = "64a1b2c3d4e5f60718293a4b"
	ana      = "+33639980001"
	luc      = "+33639980002"
	soon     = 10 * time.Second
	tick     = 2 * time.Millisecond
)

// config is a valid one, whose contacts do everything at once.
func config() simulator.Config {
	return simulator.Config{
		Token: token, DeviceID: deviceID, DevicePhone: "+33639989999", Seed: 1,
		Delivery: simulator.Delivery{RetryBase: 5 * time.Millisecond, RetryMax: 20 * time.Millisecond},
	}
}

func journalPath(t *testing.T) string { return filepath.Join(t.TempDir(), "journal") }

// newSimulator makes a simulator that is closed with the test.
func newSimulator(t *testing.T, cfg simulator.Config) *simulator.Simulator {
	t.Helper()
	s, err := simulator.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// run plays the contacts until the returned function is called or the test ends.
func run(t *testing.T, s *simulator.Simulator) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	require.Eventually(t, func() bool { return s.Health().Running }, soon, tick)
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

// api calls a simulator over real TCP.
type api struct {
	t      *testing.T
	url    string
	client *http.Client
}

func serve(t *testing.T, s *simulator.Simulator) *api {
	t.Helper()
	server := httptest.NewServer(s.Handler())
	a := &api{t: t, url: server.URL, client: newClient(t)}
	t.Cleanup(server.Close)
	return a
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: soon}
}

// answer is an HTTP answer read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, into), string(a.body))
}

func (a *api) try(method, path string, body any) (answer, error) {
	var content []byte
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	default:
		var err error
		content, err = json.Marshal(b)
		require.NoError(a.t, err)
	}
	req, err := http.NewRequest(method, a.url+path, bytes.NewReader(content))
	require.NoError(a.t, err)
	req.Header.Set("Token", token)
	res, err := a.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, read}, err
}

func (a *api) call(method, path string, body any) answer {
	a.t.Helper()
	got, err := a.try(method, path, body)
	require.NoError(a.t, err)
	return got
}

type object = map[string]any

func message(phone, reference string) object {
	return object{"phone": phone, "message": "Bonjour", "device": deviceID, "reference": reference}
}

// send sends a message that must be accepted and returns its record.
func (a *api) send(phone, reference string) object {
	a.t.Helper()
	got := a.call("POST", "/v1/messages", message(phone, reference))
	require.Equal(a.t, http.StatusCreated, got.status, string(got.body))
	var record object
	got.decode(a.t, &record)
	return record
}

// webhook is what the receiver got.
type webhook struct {
	Event string
	Data  object
	Whole object
	raw   []byte
	head  http.Header
}

// receiver is the other end of webhooks.
type receiver struct {
	t      *testing.T
	url    string
	answer func(n int, w webhook) int // status; n counts from 1

	mu  sync.Mutex
	got []webhook
}

func receive(t *testing.T, answer func(n int, w webhook) int) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: answer}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/webhooks/wassenger?token=hook-token"
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	got := webhook{raw: body, head: req.Header.Clone()}
	var several []object
	if json.Unmarshal(body, &got.Whole) != nil && json.Unmarshal(body, &several) == nil {
		got.Whole = several[0]
	}
	got.Event, _ = got.Whole["event"].(string)
	got.Data, _ = got.Whole["data"].(object)
	r.mu.Lock()
	r.got = append(r.got, got)
	n := len(r.got)
	r.mu.Unlock()
	if r.answer != nil {
		w.WriteHeader(r.answer(n, got))
	}
}

func (r *receiver) all() []webhook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]webhook(nil), r.got...)
}

// of returns the webhooks of one event so far.
func (r *receiver) of(event string) []webhook {
	var some []webhook
	for _, w := range r.all() {
		if w.Event == event {
			some = append(some, w)
		}
	}
	return some
}

// words are the events so far, acknowledgements by what they say.
func (r *receiver) words() []string {
	words := []string{}
	for _, w := range r.all() {
		word := w.Event
		if ack, isAck := w.Data["ack"].(string); isAck && w.Event == "message:out:ack" {
			word = ack
		}
		words = append(words, word)
	}
	return words
}

// quiet waits until nothing is left to happen.
func quiet(t *testing.T, s *simulator.Simulator) {
	t.Helper()
	require.Eventually(t, func() bool {
		h := s.Health()
		return h.Planned == 0 && h.Unacknowledged == 0
	}, soon, tick)
}
