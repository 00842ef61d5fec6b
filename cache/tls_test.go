package cache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/devstack"
)

const (
	redisUser     = "relance"
	redisPassword = "correct-horse-battery"
	// redisRules are all that Relance needs, as docs/operations.md has them.
	redisRules = "~cache:* ~lock:message2:* +ping +mget +mset +set +get +del +eval"
)

// A Redis as hosts have it: over TLS alone, a user with a password who may do
// nothing but what Relance needs. The client says nothing else, such as CLIENT.
func TestRedisOverTLSWithAUserAndAPassword(t *testing.T) {
	server := startRedisTLS(t)
	// Beside the machine's own authorities. Go reads the variable once, when it first checks a certificate.
	t.Setenv("SSL_CERT_DIR", filepath.Dir(server.CAFile()))
	c := connectTo(t, patient(server.URL()))
	require.NoError(t, c.Healthy(t.Context()))
	var d table
	d.trusted(t, c)
	d.value.Store(1)
	c.Invalidate(t.Context(), cache.Contacts)
	d.trusted(t, c)
	campaignID, contactID := uuid.New(), uuid.New()
	release, taken := c.HoldAnswer(t.Context(), campaignID, contactID)
	require.False(t, taken)
	_, taken = c.HoldAnswer(t.Context(), campaignID, contactID)
	require.True(t, taken)
	release()
	_, taken = c.HoldAnswer(t.Context(), campaignID, contactID)
	require.False(t, taken, "it was given back")
	require.Zero(t, gathered(t, c, "relance_cache_errors_total", "contacts"))

	for name, wrong := range map[string]struct{ url, says string }{
		"another password": {changed(server.URL(), func(u *url.URL) { u.User = url.UserPassword(redisUser, "wrong-"+redisPassword) }),
			"it refuses the user or the password of REDIS_URL"},
		"no password": {changed(server.URL(), func(u *url.URL) { u.User = nil }),
			"it wants a user and a password, which belong into REDIS_URL"},
		"plaintext": {changed(server.URL(), func(u *url.URL) { u.Scheme = "redis" }),
			"it hangs up; REDIS_URL must begin with rediss://"},
		"TLS to one without": {changed(server.URL(), func(u *url.URL) { u.Host = miniredis.RunT(t).Addr() }),
			"and with redis:// for one that does not"},
		"an authority that nobody knows": {startRedisTLS(t).URL(),
			"its certificate is not trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c, err := cache.New(patient(wrong.url), slog.New(slog.NewTextHandler(&log, nil)))
			require.NoError(t, err)
			err = c.Healthy(t.Context())
			require.ErrorContains(t, err, wrong.says)
			assert.NotContains(t, err.Error(), redisPassword)
			var d table
			for range 5 {
				assert.Zero(t, d.through(t, c), "answers come all the same")
			}
			require.NoError(t, c.Close())
			assert.Contains(t, log.String(), wrong.says, "whoever runs it reads why")
			assert.NotContains(t, log.String(), redisPassword)
		})
	}
}

func startRedisTLS(t *testing.T) *devstack.RedisTLS {
	t.Helper()
	server, err := devstack.StartRedisTLS(t.Context(), devstack.RedisTLSOptions{
		Dir: t.TempDir(), User: redisUser, Password: redisPassword, Rules: redisRules,
	})
	if errors.Is(err, devstack.ErrNoRedis) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return server
}

func changed(address string, change func(*url.URL)) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	change(u)
	return u.String()
}

// patient gives Redis the time that a busy machine may take.
func patient(address string) string {
	return changed(address, func(u *url.URL) { u.RawQuery = "read_timeout=10s" })
}
