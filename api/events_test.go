package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// streamed is one event as a browser would see it.
type streamed struct {
	id, name string
	data     object
}

// stream is an open stream of events.
type stream struct {
	t      *testing.T
	header http.Header
	lines  *bufio.Scanner
	leave  context.CancelFunc
}

// open opens a stream; it ends with the test, or when left.
func (s *server) open(t *testing.T, path, lastID string) stream {
	t.Helper()
	// Far more than any event takes; whatever is not told by then fails the test.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+adminToken)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, response.Body.Close()) })
	require.Equal(t, 200, response.StatusCode)
	return stream{t: t, header: response.Header, lines: bufio.NewScanner(response.Body), leave: cancel}
}

// next is the next event; heartbeats are events too.
func (s stream) next() streamed {
	s.t.Helper()
	var e streamed
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			require.NoError(s.t, json.Unmarshal([]byte(value), &e.data))
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	require.NoError(s.t, s.lines.Err())
	require.Fail(s.t, "the stream ended")
	return e
}

func (s *server) sendOne(id uuid.UUID) {
	s.t.Helper()
	admission, err := s.store.Admit(s.t.Context(), id, 2, 1, 100)
	require.NoError(s.t, err)
	claim, err := s.store.Claim(s.t.Context(), store.MessageKey{CampaignID: id, ContactID: admission.Contacts[0], Type: campaign.Message1})
	require.NoError(s.t, err)
	_, err = s.store.SettleSent(s.t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p2"})
	require.NoError(s.t, err)
}

func TestProperty15_WhoWatchesACampaignSeesAChangeWithinSeconds(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	watching := s.open(t, "/campaigns/"+id.String()+"/events", "")
	assert.Equal(t, "text/event-stream", watching.header.Get("Content-Type"))

	first := watching.next()
	assert.Equal(t, "campaign", first.name)
	assert.NotEmpty(t, first.id)
	assert.Equal(t, "running", first.data["status"])
	assert.Equal(t, 1.0, first.data["stats"].(object)["messages_sent"])

	changed := time.Now()
	s.sendOne(id)
	second := watching.next()
	require.Equal(t, "campaign", second.name, "told before a heartbeat is due")
	assert.Equal(t, 2.0, second.data["stats"].(object)["messages_sent"])
	assert.NotEqual(t, first.id, second.id)
	assert.Less(t, time.Since(changed), 5*time.Second, "Property 15's bound")
}

func TestAStreamGoesOnWhereItWasLeft(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	path := "/campaigns/" + id.String() + "/events"
	seen := s.open(t, path, "").next()

	again := s.open(t, path, seen.id)
	beat := again.next()
	assert.Equal(t, "heartbeat", beat.name, "nothing has changed, so nothing is sent again")
	at, err := time.Parse(time.RFC3339, beat.data["at"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), at, 5*time.Second)

	s.sendOne(id)
	missed := s.open(t, path, seen.id).next()
	assert.Equal(t, 2.0, missed.data["stats"].(object)["messages_sent"], "what was missed is told at once")
}

func TestTheOverviewShowsWhatIsAlive(t *testing.T) {
	s := serve(t)
	watching := s.open(t, "/events", "")
	first := watching.next()
	assert.Equal(t, "overview", first.name)
	assert.Empty(t, first.data["campaigns"])

	id := s.running(5)
	for {
		now := watching.next()
		campaigns, _ := now.data["campaigns"].([]any)
		if len(campaigns) == 1 && campaigns[0].(object)["stats"].(object)["failures"] == 1.0 {
			assert.Equal(t, id.String(), campaigns[0].(object)["id"])
			assert.Equal(t, 1.0, now.data["stats"].(object)["messages_sent"])
			return
		}
	}
}

func TestStreamsEndWhenTheServerStopsAndAreRefusedLikeAnythingElse(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	s.call("GET", "/campaigns/"+uuid.NewString()+"/events", nil).problem(404)
	s.call("GET", "/events", nil, nobody).problem(401)

	watching := s.open(t, "/campaigns/"+id.String()+"/events", "")
	watching.next()
	s.api.EndStreams()
	for watching.lines.Scan() {
		assert.Empty(t, watching.lines.Text())
	}
	require.NoError(t, watching.lines.Err(), "the stream ends in order")
}

func TestAStreamEndsWithWhatItShows(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	draft := read[struct{ ID uuid.UUID }](s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 201)
	path := "/campaigns/" + draft.ID.String()
	watching := s.open(t, path+"/events", "")
	watching.next()
	require.Equal(t, 204, s.call("DELETE", path, nil).status)
	for watching.lines.Scan() {
		assert.NotContains(t, watching.lines.Text(), "data: {\"id\"")
	}
	require.NoError(t, watching.lines.Err(), "the stream ends in order")
}

func TestOneUserCannotOpenStreamsWithoutEnd(t *testing.T) {
	s := serve(t)
	_, other := s.as(store.Admin)
	var open []stream
	for range 100 {
		open = append(open, s.open(t, "/events", ""))
		open[len(open)-1].next()
	}
	refused := s.call("GET", "/events", nil)
	refused.problem(429)
	assert.Equal(t, "1", refused.header.Get("Retry-After"))
	assert.Equal(t, 200, s.call("GET", "/events", nil, other).status, "others watch what they like")
	open[0].leave()
	require.Eventually(t, func() bool { return s.call("GET", "/events", nil).status == 200 }, 5*time.Second, time.Millisecond)
}
