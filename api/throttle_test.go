package api_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/store"
)

// clockStands stops the database's clock.
func (s *server) clockStands() {
	s.t.Helper()
	_, err := s.store.Pool().Exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT timestamptz '%s' $$`, s.now().UTC().Format(time.RFC3339Nano)))
	require.NoError(s.t, err)
}

func TestGuessingPasswordsTakesEverLongerWhetherOrNotTheAddressExists(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	s.clockStands()
	var refused []string
	for _, email := range []string{u.Email, "nobody@example.com"} {
		for range 5 {
			s.loginAs(email, "wrong").problem(401)
		}
		a := s.loginAs(email, adminPassword)
		a.problem(429)
		refused = append(refused, string(a.body))
		wait, err := strconv.Atoi(a.header.Get("Retry-After"))
		require.NoError(t, err)
		assert.Equal(t, 30, wait)
	}
	assert.Equal(t, refused[0], refused[1])
	assert.Equal(t, 200, s.loginAs(adminEmail, adminPassword).status, "others are not kept out")
	s.call("POST", "/auth/password", object{"current_password": adminPassword, "new_password": "another password"}, token).problem(429)

	_, err := s.store.Pool().Exec(`UPDATE login_attempts SET failed_at = failed_at - interval '31 seconds'`)
	require.NoError(t, err)
	s.loginAs(u.Email, "wrong").problem(401)
	assert.Equal(t, "60", s.loginAs(u.Email, adminPassword).header.Get("Retry-After"))

	_, err = s.store.Pool().Exec(`UPDATE login_attempts SET failed_at = failed_at - interval '61 seconds'`)
	require.NoError(t, err)
	assert.Equal(t, 200, s.loginAs(u.Email, adminPassword).status)
	s.loginAs(u.Email, "wrong").problem(401)
	assert.Equal(t, 200, s.loginAs(u.Email, adminPassword).status, "a success begins anew")
}

func TestACallerIsToldItsRateAndHeldToIt(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.RateLimit = 1 }) // 2 at once
	_, other := s.as(store.Admin)
	first := s.call("GET", "/auth/me", nil)
	assert.Equal(t, `"caller";q=2;w=2`, first.header.Get("RateLimit-Policy"))
	assert.Equal(t, `"caller";r=1;t=1`, first.header.Get("RateLimit"))
	var refused answer
	for range 50 { // more than a slow machine can earn meanwhile
		if refused = s.call("GET", "/auth/me", nil); refused.status == 429 {
			break
		}
	}
	refused.problem(429)
	assert.Equal(t, "1", refused.header.Get("Retry-After"))
	assert.Contains(t, refused.header.Get("RateLimit"), `"caller";r=0;t=`)

	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, other).status, "each token has its own")
	for range 10 {
		assert.Equal(t, 200, s.call("GET", "/healthz", nil, nobody).status)
		assert.Equal(t, 200, s.call("POST", "/webhooks/wassenger", event, byToken).status)
	}
}
