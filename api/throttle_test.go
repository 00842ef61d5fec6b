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

func TestBehindATrustedProxyPasswordsAreCountedByWhereTheyComeFrom(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.TrustedProxies = []string{"127.0.0.0/8", "10.1.0.0/16"} })
	login := func(forwarded ...string) int {
		return s.loginFrom(adminEmail, "wrong", forwarded...).status
	}
	for range 5 {
		require.Equal(t, 401, login("203.0.113.7"))
	}
	assert.Equal(t, 429, login("203.0.113.7"))
	assert.Equal(t, 429, login("198.51.100.1, 203.0.113.7"), "what a caller made up stands before what the proxy saw")
	assert.Equal(t, 429, login("198.51.100.1", "203.0.113.7"), "also on a line of its own")
	assert.Equal(t, 429, login("203.0.113.7, 10.1.2.3"), "through two proxies")
	assert.Equal(t, 401, login("203.0.113.8"), "others are not kept out")
	assert.Equal(t, 401, login("203.0.113.7, 10.2.0.1"), "which is no trusted proxy, but where it comes from")
}

func TestNobodyIsBelievedWhereTheyComeFromUnlessAProxyIsTrusted(t *testing.T) {
	s := serve(t)
	for i := range 5 {
		require.Equal(t, 401, s.loginFrom(adminEmail, "wrong", fmt.Sprintf("203.0.113.%d", i)).status)
	}
	assert.Equal(t, 429, s.loginFrom(adminEmail, "wrong", "203.0.113.99").status)
}

func (s *server) loginFrom(email, password string, forwarded ...string) answer {
	s.t.Helper()
	headers := []header{nobody}
	for _, f := range forwarded {
		headers = append(headers, header{"X-Forwarded-For", f})
	}
	return s.call("POST", "/auth/login", object{"email": email, "password": password}, headers...)
}

func TestWhoMakesTokensUpIsHeldUpAndNobodyElse(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.TrustedProxies = []string{"127.0.0.1"} })
	from := func(address string) header { return header{"X-Forwarded-For", address} }
	me := func(secret string, from header) answer {
		return s.call("GET", "/auth/me", nil, header{"Authorization", "Bearer " + secret}, from)
	}
	require.Equal(t, 200, me(adminToken, from("203.0.113.7")).status)
	_, other := s.as(store.Admin)
	var refused answer
	tried := 0
	for refused.status != 429 {
		tried++
		require.Less(t, tried, 1000, "made-up tokens can be tried without end")
		if refused = me(fmt.Sprint("made up ", tried), from("203.0.113.7")); refused.status != 429 {
			refused.problem(401)
		}
	}
	refused.problem(429)
	assert.Equal(t, "1", refused.header.Get("Retry-After"))
	assert.Greater(t, tried, 20, "who has an old token or two is told so")
	assert.Equal(t, 200, me(adminToken, from("203.0.113.7")).status, "a token that was recognised before is recognised still")
	assert.Equal(t, 401, me("made up", from("203.0.113.8")).status, "elsewhere nothing was tried")
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, other, from("203.0.113.8")).status)
	assert.Equal(t, 401, s.call("GET", "/auth/me", nil, nobody, from("203.0.113.7")).status, "who shows nothing tries nothing")
}

func TestARevokedTokenIsCountedAsUnknown(t *testing.T) {
	s := serve(t)
	_, token := s.as(store.Admin)
	require.Equal(t, 200, s.call("GET", "/auth/me", nil, token).status)
	_, err := s.store.Pool().Exec(`UPDATE api_tokens SET revoked_at = relance_now() WHERE name <> 'ADMIN_TOKEN'`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.call("GET", "/auth/me", nil, token).status == 429 }, time.Minute, time.Nanosecond)
}
