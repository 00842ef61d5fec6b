package deploy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
)

// entryFor runs the load balancer in front of one API, and gives its address.
func entryFor(t *testing.T, api string) string {
	t.Helper()
	haproxy := program(t, "haproxy")
	content, err := os.ReadFile("haproxy.cfg")
	require.NoError(t, err)
	port, err := devstack.FreePort()
	require.NoError(t, err)
	// Docker's names are looked up nowhere but in Docker.
	text := regexp.MustCompile(`(?ms)^resolvers.*?\n\n`).ReplaceAllString(string(content), "")
	text = strings.NewReplacer(
		"bind :8080", fmt.Sprintf("bind 127.0.0.1:%d", port), " resolvers docker init-addr libc,none", "", "server-template api 10 api:8080", "server api "+api,
	).Replace(text)
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), haproxy, "-db", "-f", file)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

func TestTheEntryBringsWebhooksToAnAPIWhoseDatabaseIsAwayAndSaysWhoCalls(t *testing.T) {
	var away atomic.Bool
	var refused atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && away.Load() {
			refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, strings.Join(r.Header.Values("X-Forwarded-For"), ", "))
	}))
	t.Cleanup(api.Close)
	entry := entryFor(t, strings.TrimPrefix(api.URL, "http://"))
	called := func() (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, entry+"/webhooks/wassenger", strings.NewReader("{}"))
		require.NoError(t, err)
		request.Header.Set("X-Forwarded-For", "203.0.113.7")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	require.Eventually(t, func() bool { status, _ := called(); return status == http.StatusOK }, time.Minute, 20*time.Millisecond)
	_, from := called()
	assert.Equal(t, "203.0.113.7, 127.0.0.1", from, "what a proxy in front has said, and then where that proxy is")

	away.Store(true)
	for refused.Load() < 3 { // the first takes the API out of those that are ready
		status, said := called()
		require.Equal(t, http.StatusOK, status, said)
	}
}
