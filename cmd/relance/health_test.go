package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealthAsksWhereItsProcessListens(t *testing.T) {
	for internal, want := range map[string]string{
		":9090":          "http://127.0.0.1:9090/healthz",
		"0.0.0.0:9090":   "http://127.0.0.1:9090/healthz",
		"[::]:9090":      "http://127.0.0.1:9090/healthz",
		"127.0.0.1:9091": "http://127.0.0.1:9091/healthz",
		"10.0.0.7:9090":  "http://10.0.0.7:9090/healthz",
	} {
		got, err := healthAddress(internal)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := healthAddress("9090")
	require.ErrorContains(t, err, "INTERNAL_ADDR must be")
}

func TestHealthFailsUnlessTheProcessIsWell(t *testing.T) {
	var answer atomic.Int64
	asked := http.NewServeMux()
	asked.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) })
	process := httptest.NewServer(asked)
	t.Setenv("INTERNAL_ADDR", strings.TrimPrefix(process.URL, "http://"))
	ask := func() error { return relanceTo(t.Context(), t.Output(), "health") }
	answer.Store(http.StatusOK)
	require.NoError(t, ask())
	answer.Store(http.StatusServiceUnavailable)
	require.ErrorContains(t, ask(), "not well")
	process.Close()
	require.ErrorContains(t, ask(), "not well")
}
