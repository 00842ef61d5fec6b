package api_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
)

func TestWhoeverOpensTheServersAddressGetsTheDashboard(t *testing.T) {
	s := serve(t, func(o *api.Options) {
		o.Dashboard = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			_, err := io.WriteString(w, "screen "+r.URL.Path)
			assert.NoError(t, err)
		})
	})
	leads := s.call("GET", "/", nil, nobody)
	require.Equal(t, http.StatusFound, leads.status)
	answer := s.call("GET", leads.header.Get("Location"), nil, nobody)
	assert.Equal(t, "screen /app/", string(answer.body))
	assert.Equal(t, "no-cache", answer.header.Get("Cache-Control"), "the dashboard says itself what browsers may keep")
	assert.Equal(t, "screen /app/campaigns/1", string(s.call("GET", "/app/campaigns/1", nil, nobody).body))
}
