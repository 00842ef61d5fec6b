package simulator_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

func TestWhatContactsHaveSentIsListedNewestFirst(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	run(t, s)
	for _, text := range []string{"one", "two", "three"} {
		_, err := s.Reply(simulator.ReplyRequest{Phone: ana, Type: simulator.ReplyText, Text: text})
		require.NoError(t, err)
	}
	listed := func(query string) (bodies []string) {
		got := a.call("GET", "/v1/chat/"+deviceID+"/messages"+query, nil)
		require.Equal(t, http.StatusOK, got.status, string(got.body))
		var messages []struct{ Body, Flow, FromNumber string }
		got.decode(t, &messages)
		for _, m := range messages {
			assert.Equal(t, "inbound", m.Flow)
			assert.Equal(t, ana, m.FromNumber)
			bodies = append(bodies, m.Body)
		}
		return bodies
	}
	assert.Equal(t, []string{"three", "two", "one"}, listed("?flow=inbound"))
	assert.Equal(t, []string{"one"}, listed("?size=2&page=1"))
	assert.Empty(t, listed("?after="+url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))))
	assert.Equal(t, http.StatusNotFound, a.call("GET", "/v1/chat/000000000000000000000000/messages", nil).status)
	assert.Equal(t, http.StatusBadRequest, a.call("GET", "/v1/chat/"+deviceID+"/messages?size=51", nil).status)
}
