package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger"
)

const soon = 10 * time.Second

// console takes what a command prints and notices where it listens.
type console struct {
	mu        sync.Mutex
	printed   bytes.Buffer
	listening chan string // holds the address once it is known
}

var listeningOn = regexp.MustCompile(`Listening on (\S+) for`)

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := listeningOn.FindSubmatch(p); found != nil {
		c.listening <- string(found[1])
	}
	return c.printed.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.printed.String()
}

// tunnel is a public URL that leads to whatever a command listens on, as an
// operator would set one up, and the console of that command.
func tunnel(t *testing.T) (string, *console) {
	t.Helper()
	c := &console{listening: make(chan string, 1)}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		address := <-c.listening
		c.listening <- address
		r.SetURL(&url.URL{Scheme: "http", Host: address})
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL + "/tunnel?key=k3y", c
}

// plays runs the account's simulator until the test ends.
func (a account) plays() {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	a.t.Cleanup(func() { cancel(); require.NoError(a.t, <-ended) })
}

func sampling(ctx context.Context, c *console, public, dir string, more ...string) error {
	args := []string{"webhook", "sample", "--url", public, "--listen", "127.0.0.1:0", "--dir", dir}
	return relanceTo(ctx, c, append(args, more...)...)
}

// row is what a command printed about one sample.
func row(t *testing.T, c *console, id string) string {
	t.Helper()
	for line := range strings.Lines(c.String()) {
		if rest, found := strings.CutPrefix(line, id+" "); found {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("nothing was said about %s:\n%s", id, c)
	return ""
}

func TestSamplesAreStoredAsTheyCameAndRead(t *testing.T) {
	a := newAccount(t)
	a.plays()
	public, c := tunnel(t)
	dir := filepath.Join(t.TempDir(), "samples")
	readings := map[string]string{
		"inbound-text": "reply, text", "inbound-image": "reply, image", "inbound-video": "reply, video",
		"inbound-audio": "reply, audio", "inbound-document": "reply, document", "inbound-quoted": "reply, text",
		"inbound-reaction": "reply, emoji", "outbound-reaction": "reply, emoji", "inbound-reaction-deleted": "ignored: reaction removed",
		"outbound-text": "ignored: our own message", "outbound-read": "acknowledgement, read", "outbound-played": "acknowledgement, read",
		"outbound-failed": "acknowledgement, failed", "message-update-edit": "ignored: not an event that campaigns use",
	}
	var ids []string
	for id := range readings {
		ids = append(ids, id)
	}
	require.NoError(t, sampling(t.Context(), c, public, dir, ids...), c)
	assert.NotContains(t, c.String(), "k3y")
	assert.Contains(t, c.String(), "All 14 samples are read as they should be.")
	for id, want := range readings {
		assert.Equal(t, want, row(t, c, id))
		path := filepath.Join(dir, id+".json")
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(content), "\n  ", "indented")
		assert.True(t, json.Valid(content))
		_, err = wassenger.ParseWebhook(content)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode())
	}
	assert.Empty(t, a.webhooks())
}

func TestSamplesThatTheProviderDoesNotHaveCostNoneOfTheOthers(t *testing.T) {
	a := newAccount(t)
	a.plays()
	public, c := tunnel(t)
	dir := t.TempDir()
	err := sampling(t.Context(), c, public, dir)
	require.ErrorContains(t, err, fmt.Sprintf("13 of %d samples did not come or are not read as they should be: inbound-location, ", len(samples)))
	assert.Equal(t, "asking for the sample: wassenger: create webhook: rejected: HTTP 400 sample:unknown (The simulator does not play the sample inbound-location)",
		row(t, c, "inbound-location"))
	assert.Equal(t, "acknowledgement, failed", row(t, c, "outbound-failed"))
	assert.NoFileExists(t, filepath.Join(dir, "inbound-location.json"))
	assert.FileExists(t, filepath.Join(dir, "outbound-failed.json"))
	assert.Empty(t, a.webhooks())
}

func TestASampleThatDoesNotComeInTimeIsGivenUp(t *testing.T) {
	a := newAccount(t) // which does not play
	public, c := tunnel(t)
	err := sampling(t.Context(), c, public, t.TempDir(), "--wait", "1ms", "inbound-text", "inbound-image")
	require.ErrorContains(t, err, "2 of 2 samples")
	assert.Equal(t, "none came within 1ms: is --url where the provider reaches this machine?", row(t, c, "inbound-text"))
	assert.Empty(t, a.webhooks())
}

func TestAnInterruptLeavesNoWebhookBehind(t *testing.T) {
	a := newAccount(t) // which does not play
	public, c := tunnel(t)
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sampling(ctx, c, public, t.TempDir(), "--wait", "1h") }()
	require.Eventually(t, func() bool {
		listed, err := a.Client.Webhooks(t.Context())
		return err == nil && len(listed) == 1
	}, soon, 5*time.Millisecond)
	interrupt()
	require.EqualError(t, <-ended, fmt.Sprintf("interrupted after 0 of %d samples", len(samples)))
	assert.Equal(t, "interrupted", row(t, c, "inbound-text"))
	assert.Empty(t, a.webhooks())
}

func TestAWebhookWhoseCreationWasNotAnsweredIsRemovedToo(t *testing.T) {
	a := newAccount(t) // which does not play
	atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			a.Handler().ServeHTTP(w, r)
			return
		}
		created := httptest.NewRecorder()
		a.Handler().ServeHTTP(created, r)
		assert.Equal(t, http.StatusCreated, created.Code)
		w.WriteHeader(http.StatusBadGateway)
	}))
	public, c := tunnel(t)
	require.Error(t, sampling(t.Context(), c, public, t.TempDir(), "inbound-text"))
	assert.Contains(t, row(t, c, "inbound-text"), "HTTP 502")
	assert.Empty(t, a.webhooks())
}

func TestWhatAKilledRunLeftBehindIsRemoved(t *testing.T) {
	a := newAccount(t)
	a.plays()
	public, c := tunnel(t)
	address, query, _ := strings.Cut(public, "?")
	for name, hook := range map[string]wassenger.Webhook{
		"left behind": {Name: sampleHook, URL: address + "/0123?" + query}, "another's": {Name: sampleHook, URL: "https://h.org/0123"}, "no sample": {Name: "x", URL: address + "/4567"},
	} {
		hook.Events = []string{"chat:update"}
		require.NotEmpty(t, a.has(hook), name)
	}
	require.NoError(t, sampling(t.Context(), c, public, t.TempDir(), "inbound-text"))
	var left []string
	for _, w := range a.webhooks() {
		left = append(left, w.URL)
	}
	assert.ElementsMatch(t, []string{"https://h.org/0123", address + "/4567"}, left)
}

func TestAWebhookThatCannotBeRemovedIsSaid(t *testing.T) {
	a := newAccount(t)
	a.plays()
	atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		a.Handler().ServeHTTP(w, r)
	}))
	public, c := tunnel(t)
	require.Error(t, sampling(t.Context(), c, public, t.TempDir(), "inbound-text"))
	assert.Contains(t, row(t, c, "inbound-text"), "reply, text; removing the temporary webhook "+a.webhooks()[0].ID)
}

func TestAProviderThatRefusesEverythingIsAskedOnce(t *testing.T) {
	asked := 0
	atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `[]`)
			return
		}
		asked++
		w.WriteHeader(http.StatusForbidden)
	}))
	public, c := tunnel(t)
	require.ErrorContains(t, sampling(t.Context(), c, public, t.TempDir()), "gave up after 0 of")
	assert.Equal(t, 1, asked)
}

func TestOnlyKnownSamplesAreAskedFor(t *testing.T) {
	newAccount(t)
	_, err := relance(t, "webhook", "sample", "--url", hookAddress, "inbound-fax")
	require.ErrorContains(t, err, `"inbound-fax"`)
}

func TestADeliveryIsJudgedByHowRelanceReadsIt(t *testing.T) {
	const person = `"fromNumber":"+33639981122","flow":"inbound"`
	for _, c := range []struct {
		id, raw, line string
		good          bool
	}{
		{"inbound-text", `{"event":"message:in:new","data":{"id":"1",` + person + `,"type":"text","body":"Oui"}}`, "reply, text", true},
		{"inbound-audio", `{"event":"message:in:new","data":{"id":"1",` + person + `,"type":"ptt"}}`, "reply, voice", true},
		{"inbound-image", `{"event":"message:in:new","data":{"id":"1",` + person + `,"type":"picture"}}`, "reply, text, but expected reply, image", false},
		{"inbound-text", `{"event":"message:in:new","data":{"id":"1","type":"text","body":"Oui"}}`, "reply, text, of nobody: no number, but expected reply, text", false},
		{"group-inbound", `{"event":"message:in:new","data":{"id":"1",` + person + `,"body":"Oui"}}`, "reply, text, but expected ignored: group", false},
		{"outbound-read", `{"event":"message:out:read","data":{"id":"1","flow":"outbound"}}`, `acknowledgement, read (event "message:out:read")`, true},
		{"outbound-failed", `[{"event":"message:out:failed","data":{"id":"1"}},{"event":"message:out:failed","data":5}]`,
			"acknowledgement, failed; ignored: unreadable: no data object, but expected acknowledgement, failed", false},
		{"inbound-text", `<html>`, "unreadable: webhook: malformed JSON", false},
		{"inbound-text", ``, "unreadable: webhook: malformed JSON", false},
	} {
		line, good := samplesNamed([]string{c.id})[0].judge([]byte(c.raw))
		assert.Equal(t, c.line, line, c.raw)
		assert.Equal(t, c.good, good, c.raw)
	}
}

func TestTheInboxTakesTheFirstDeliveryAtAnExpectedAddress(t *testing.T) {
	var b inbox
	segment, delivered := b.expect()
	post := func(method, path, body string) int {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Code
	}
	assert.Equal(t, 404, post("POST", "/prefix/other", "no"))
	assert.Equal(t, 404, post("GET", "/prefix/"+segment, ""))
	assert.Equal(t, 400, post("POST", "/"+segment, strings.Repeat("x", largestSample+1)))
	assert.Equal(t, 200, post("POST", "/prefix/"+segment, "first"))
	assert.Equal(t, 200, post("POST", "/prefix/"+segment, "second"))
	assert.Equal(t, "first", string(<-delivered))
}
