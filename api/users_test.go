package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

type user struct {
	ID          uuid.UUID
	Email, Role string
	DisabledAt  *string `json:"disabled_at"`
}

// loginAs logs in with an address and a password.
func (s *server) loginAs(email, password string, headers ...header) answer {
	s.t.Helper()
	return s.call("POST", "/auth/login", object{"email": email, "password": password}, append(headers, nobody)...)
}

// session is the cookie that an answer has set.
func (a answer) session() header {
	a.t.Helper()
	require.Less(a.t, a.status, 300, "%s", a.body)
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	require.NoError(a.t, err)
	return header{"Cookie", cookie.Name + "=" + cookie.Value}
}

func TestASuperAdminMakesUsersWhoLogIn(t *testing.T) {
	s := serve(t)
	made := read[user](s.call("POST", "/users", object{"email": " Lea@example.com", "password": "long enough", "role": "admin"}), 201)
	assert.Equal(t, "Lea@example.com", made.Email)
	assert.Equal(t, "admin", made.Role)
	assert.Equal(t, 200, s.loginAs("lea@example.com", "long enough").status)

	taken := s.call("POST", "/users", object{"email": "LEA@example.com", "password": "long enough", "role": "admin"}).problem(409)
	assert.Equal(t, []string{"body.email"}, taken.locations())
	for location, wrong := range map[string]object{
		"body.email":    {"email": "nobody", "password": "long enough", "role": "admin"},
		"body.password": {"email": "a@example.com", "password": "short", "role": "admin"},
		"body.role":     {"email": "a@example.com", "password": "long enough", "role": "owner"},
	} {
		assert.Equal(t, []string{location}, s.call("POST", "/users", wrong).problem(422).locations())
	}
	list := read[page[user]](s.call("GET", "/users?limit=1", nil), 200)
	require.Len(t, list.Items, 1)
	assert.Equal(t, made.ID, list.Items[0].ID)
	assert.EqualValues(t, 2, *list.Total)
	list = read[page[user]](s.call("GET", "/users?limit=1&cursor="+*list.NextCursor, nil), 200)
	assert.Equal(t, adminEmail, list.Items[0].Email)
	assert.Nil(t, list.NextCursor)
}

func TestADisabledUserIsOutAtOnceAndComesBackWhenEnabled(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	session := s.loginAs(u.Email, adminPassword).session()
	path := "/users/" + u.ID.String()

	assert.NotNil(t, read[user](s.call("PATCH", path, object{"disabled": true}), 200).DisabledAt)
	s.call("GET", "/auth/me", nil, token).problem(401)
	s.call("GET", "/auth/me", nil, nobody, session).problem(401)
	s.loginAs(u.Email, adminPassword).problem(401)

	assert.Nil(t, read[user](s.call("PATCH", path, object{"disabled": false}), 200).DisabledAt)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, token).status)
	s.call("GET", "/auth/me", nil, nobody, session).problem(401)
	assert.Equal(t, 200, s.loginAs(u.Email, adminPassword).status)
}

func TestANewPasswordFromASuperAdminEndsSessionsNotTokens(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	session := s.loginAs(u.Email, adminPassword).session()
	assert.Equal(t, 200, s.call("PATCH", "/users/"+u.ID.String(), object{"password": "another password"}).status)
	s.call("GET", "/auth/me", nil, nobody, session).problem(401)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, token).status)
	s.loginAs(u.Email, adminPassword).problem(401)
	assert.Equal(t, 200, s.loginAs(u.Email, "another password").status)
	assert.NotContains(t, s.log.String(), "another password")
}

func TestARoleChangesWhatAUserMayDoAtOnce(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	s.call("GET", "/users", nil, token).problem(403)
	assert.Equal(t, "super_admin", read[user](s.call("PATCH", "/users/"+u.ID.String(), object{"role": "super_admin"}), 200).Role)
	assert.Equal(t, 200, s.call("GET", "/users", nil, token).status)
	s.call("PATCH", "/users/"+uuid.NewString(), object{"role": "admin"}).problem(404)
	assert.Equal(t, []string{"body"}, s.call("PATCH", "/users/"+u.ID.String(), object{}).problem(422).locations())
}

func TestTheLastSuperAdminStays(t *testing.T) {
	s := serve(t)
	me := read[user](s.call("GET", "/auth/me", nil), 200)
	for _, change := range []object{{"role": "admin"}, {"disabled": true}, {"role": "admin", "password": "another password"}} {
		s.call("PATCH", "/users/"+me.ID.String(), change).problem(409)
	}
	assert.Equal(t, 200, s.loginAs(adminEmail, adminPassword).status, "refused as a whole")
	second, _ := s.as(store.SuperAdmin)
	assert.Equal(t, 200, s.call("PATCH", "/users/"+second.ID.String(), object{"disabled": true}).status)
	s.call("PATCH", "/users/"+me.ID.String(), object{"role": "admin"}).problem(409)
}

func TestATokenIsShownOnceAndWorksUntilRevoked(t *testing.T) {
	s := serve(t)
	_, admin := s.as(store.Admin)
	made := read[struct {
		ID          uuid.UUID
		Name, Token string
	}](s.call("POST", "/tokens", object{"name": " Shop "}, admin), 201)
	assert.Equal(t, "Shop", made.Name)
	shop := header{"Authorization", "Bearer " + made.Token}
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, shop).status)
	listed := s.call("GET", "/tokens", nil, admin)
	assert.NotContains(t, string(listed.body), made.Token)
	assert.Contains(t, string(listed.body), made.ID.String())
	assert.NotContains(t, s.log.String(), made.Token)

	assert.Equal(t, 204, s.call("DELETE", "/tokens/"+made.ID.String(), nil, admin).status)
	s.call("GET", "/auth/me", nil, shop).problem(401)
	s.call("DELETE", "/tokens/"+made.ID.String(), nil, admin).problem(404)
	assert.NotContains(t, string(s.call("GET", "/tokens", nil, admin).body), made.ID.String())
	assert.Equal(t, []string{"body.name"}, s.call("POST", "/tokens", object{"name": " "}).problem(422).locations())
}

type session struct {
	ID      uuid.UUID
	Agent   string
	Current bool
}

func TestAUserSeesAndEndsTheirOwnSessions(t *testing.T) {
	s := serve(t)
	u, _ := s.as(store.Admin)
	other, otherToken := s.as(store.Admin)
	laptop := s.loginAs(u.Email, adminPassword, header{"User-Agent", "Laptop\xff"}).session()
	phone := s.loginAs(u.Email, adminPassword, header{"User-Agent", strings.Repeat("P", 500)}).session()
	tablet := s.loginAs(u.Email, adminPassword).session()

	sessions := read[page[session]](s.call("GET", "/auth/sessions", nil, nobody, laptop), 200).Items
	require.Len(t, sessions, 3)
	assert.Equal(t, []bool{false, false, true}, []bool{sessions[0].Current, sessions[1].Current, sessions[2].Current})
	assert.Equal(t, "Laptop", sessions[2].Agent)
	assert.Len(t, sessions[1].Agent, 200)

	path := "/auth/sessions/" + sessions[1].ID.String()
	s.call("DELETE", path, nil, otherToken).problem(404)
	assert.Equal(t, 204, s.call("DELETE", path, nil, nobody, laptop).status)
	s.call("GET", "/auth/me", nil, nobody, phone).problem(401)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, tablet).status)

	others := s.loginAs(other.Email, adminPassword).session()
	ended := read[struct{ Ended int64 }](s.call("DELETE", "/auth/sessions", nil, nobody, laptop), 200)
	assert.EqualValues(t, 1, ended.Ended)
	s.call("GET", "/auth/me", nil, nobody, tablet).problem(401)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, laptop).status)
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, others).status)
}

func TestANewPasswordOfOnesOwnEndsAllSessionsAndRenewsThisOne(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	this := s.loginAs(u.Email, adminPassword).session()
	other := s.loginAs(u.Email, adminPassword).session()
	change := object{"current_password": adminPassword, "new_password": "another password"}

	wrong := s.call("POST", "/auth/password", object{"current_password": "wrong", "new_password": "another password"}, nobody, this).problem(422)
	assert.Equal(t, []string{"body.current_password"}, wrong.locations())
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, other).status, "nothing has happened")

	changed := s.call("POST", "/auth/password", change, nobody, this)
	require.Equal(t, 204, changed.status)
	for _, old := range []header{this, other} {
		s.call("GET", "/auth/me", nil, nobody, old).problem(401)
	}
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil, nobody, changed.session()).status)
	s.loginAs(u.Email, adminPassword).problem(401)
	assert.Equal(t, 200, s.loginAs(u.Email, "another password").status)

	back := object{"current_password": "another password", "new_password": adminPassword}
	byToken := s.call("POST", "/auth/password", back, token)
	require.Equal(t, 204, byToken.status)
	assert.Empty(t, byToken.header.Get("Set-Cookie"), "a machine gets no session")
	s.call("GET", "/auth/me", nil, nobody, changed.session()).problem(401)
}
