package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
)

func TestRoutesOutsideTheTableAreProblemsToo(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/nowhere", "/contacts/", "/contacts/x/y/z", "/docs/", "/openapi.yaml", "/schemas/Contact.json"} {
		s.call("GET", path, nil).problem(http.StatusNotFound)
	}
	a := s.call("PATCH", "/contacts", nil)
	a.problem(http.StatusMethodNotAllowed)
	assert.ElementsMatch(t, []string{"GET", "POST"}, strings.Split(a.header.Get("Allow"), ", "))
}

// login returns the cookie of a new session.
func (s *server) login(headers ...header) *http.Cookie {
	s.t.Helper()
	a := s.call("POST", "/auth/login", object{"email": adminEmail, "password": adminPassword}, append(headers, nobody)...)
	require.Equal(s.t, 200, a.status, "%s", a.body)
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	require.NoError(s.t, err)
	return cookie
}

func TestASessionBeginsWithLoginAndEndsWithLogout(t *testing.T) {
	s := serve(t)
	cookie := s.login()
	assert.True(t, cookie.HttpOnly)
	assert.False(t, cookie.Secure)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.Equal(t, "/", cookie.Path)
	asSession := header{"Cookie", cookie.Name + "=" + cookie.Value}

	me := read[struct{ Email, Role string }](s.call("GET", "/auth/me", nil, nobody, asSession), 200)
	assert.Equal(t, adminEmail, me.Email)
	assert.Equal(t, "super_admin", me.Role)

	out := s.call("POST", "/auth/logout", nil, nobody, asSession)
	assert.Equal(t, 204, out.status)
	gone, err := http.ParseSetCookie(out.header.Get("Set-Cookie"))
	require.NoError(t, err)
	assert.Negative(t, gone.MaxAge)
	s.call("GET", "/auth/me", nil, nobody, asSession).problem(401)
}

func TestCookiesAreSecureOverTLS(t *testing.T) {
	s := serve(t)
	assert.True(t, s.login(header{"X-Forwarded-Proto", "https"}).Secure)
	always := serve(t, func(o *api.Options) { o.SecureCookies = true })
	assert.True(t, always.login().Secure)
}

func TestWrongAddressAndWrongPasswordAreAnsweredAlike(t *testing.T) {
	s := serve(t)
	address := s.call("POST", "/auth/login", object{"email": "nobody@example.com", "password": adminPassword}, nobody)
	password := s.call("POST", "/auth/login", object{"email": adminEmail, "password": "not the password"}, nobody)
	address.problem(401)
	assert.Equal(t, string(address.body), string(password.body))
	assert.Equal(t, 200, s.call("POST", "/auth/login", object{"email": strings.ToUpper(adminEmail), "password": adminPassword}, nobody).status)
}

func TestABodyThatIsRefusedIsNotEchoed(t *testing.T) {
	s := serve(t)
	for _, body := range []string{
		`{"email":"a@example.com","password":"hunter2hunter2"`,
		`{"email":"a@example.com","password":["hunter2hunter2"]}`,
		`{"email":"a@example.com","pass":"hunter2hunter2"}`,
		`{"password":"hunter2hunter2","email":"` + strings.Repeat("a", 400) + `"}`,
	} {
		a := s.call("POST", "/auth/login", body, nobody)
		assert.Contains(t, []int{400, 422}, a.status)
		assert.NotContains(t, string(a.body), "hunter2")
	}
	assert.NotContains(t, s.log.String(), "hunter2")
}

func TestOtherSitesCannotChangeAnythingThroughABrowser(t *testing.T) {
	s := serve(t)
	cookie := s.login()
	asSession := header{"Cookie", cookie.Name + "=" + cookie.Value}
	create := func(headers ...header) answer {
		return s.call("POST", "/categories", object{"name": uuid.NewString()}, append(headers, nobody, asSession)...)
	}
	create(header{"Sec-Fetch-Site", "cross-site"}).problem(403)
	create(header{"Sec-Fetch-Site", "same-site"}).problem(403)
	create(header{"Origin", "https://evil.example"}).problem(403)
	assert.Equal(t, 201, create(header{"Sec-Fetch-Site", "same-origin"}).status)
	assert.Equal(t, 201, create(header{"Origin", s.url}).status)
	assert.Equal(t, 201, create().status)
	assert.Equal(t, 200, s.call("GET", "/categories", nil, nobody, asSession, header{"Sec-Fetch-Site", "cross-site"}).status)

	// Logging somebody in as somebody else is a change too.
	s.call("POST", "/auth/login", object{"email": adminEmail, "password": adminPassword}, nobody, header{"Sec-Fetch-Site", "cross-site"}).problem(403)
	// A token is sent on purpose.
	assert.Equal(t, 201, s.call("POST", "/categories", object{"name": "by token"}, header{"Sec-Fetch-Site", "cross-site"}).status)
}

func TestATokenOfADisabledUserOrARevokedOneIsWorthless(t *testing.T) {
	s := serve(t)
	cookie := s.login()
	asSession := header{"Cookie", cookie.Name + "=" + cookie.Value}
	_, err := s.store.Pool().Exec(`UPDATE api_tokens SET revoked_at = now()`)
	require.NoError(t, err)
	s.call("GET", "/auth/me", nil).problem(401)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, asSession).status)
	_, err = s.store.Pool().Exec(`UPDATE users SET disabled_at = now()`)
	require.NoError(t, err)
	s.call("GET", "/auth/me", nil, nobody, asSession).problem(401)
	s.call("POST", "/auth/login", object{"email": adminEmail, "password": adminPassword}, nobody).problem(401)
}
