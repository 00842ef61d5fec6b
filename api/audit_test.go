package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

type auditEntry struct {
	ID        int64
	UserID    *uuid.UUID `json:"user_id"`
	UserEmail *string    `json:"user_email"`
	Action    string
	SubjectID *uuid.UUID `json:"subject_id"`
	Outcome   string
	Details   map[string]any
}

// audit reads the audit log, newest first.
func (s *server) audit(query string) []auditEntry {
	s.t.Helper()
	return read[page[auditEntry]](s.call("GET", "/audit"+query, nil), 200).Items
}

func TestEveryChangeLeavesWhoDidWhatToWhat(t *testing.T) {
	s := serve(t)
	me := read[user](s.call("GET", "/auth/me", nil), 200)
	c := s.contact("+33639980001")
	k := s.category("Friends of Camille")
	s.call("POST", "/categories/"+k.ID.String()+"/contacts", object{"contact_ids": []uuid.UUID{c.ID}})
	started := read[struct{ Campaign struct{ ID uuid.UUID } }](
		s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}, "message_1": "A very private text"})), 202)
	s.call("POST", "/campaigns/forecast", meantFor(object{"contact_ids": []uuid.UUID{c.ID}}))
	made := read[user](s.call("POST", "/users", object{"email": "lea@example.com", "password": "long enough", "role": "admin"}), 201)
	s.call("PATCH", "/users/"+made.ID.String(), object{"password": "another password", "disabled": true})
	token := read[struct {
		ID    uuid.UUID
		Token string
	}](s.call("POST", "/tokens", object{"name": "Shop"}), 201)
	job := s.importCSV("", "phone,name\n+33639980002,Dominique\n")
	s.call("DELETE", "/contacts/"+c.ID.String(), nil)
	// What is refused or only asked leaves nothing.
	s.call("GET", "/contacts", nil)
	s.call("DELETE", "/contacts/"+c.ID.String(), nil).problem(404)
	s.call("POST", "/categories", object{"name": "Friends of Camille"}).problem(409)
	s.call("POST", "/categories", object{}).problem(422)

	type change struct {
		action  string
		subject uuid.UUID
		details map[string]any
	}
	var changes []change
	for _, e := range s.audit("") {
		assert.Equal(t, me.ID, *e.UserID)
		assert.Equal(t, adminEmail, *e.UserEmail)
		assert.Equal(t, "done", e.Outcome)
		require.NotNil(t, e.SubjectID, e.Action)
		changes = append(changes, change{e.Action, *e.SubjectID, e.Details})
	}
	nothing := map[string]any{}
	assert.Equal(t, []change{
		{"delete-contacts-id", c.ID, nothing},
		{"post-contacts-import", job.ID, nothing},
		{"post-tokens", token.ID, nothing},
		{"patch-users-id", made.ID, object{"password": true, "disabled": true}},
		{"post-users", made.ID, object{"role": "admin"}},
		{"post-campaigns-start", started.Campaign.ID, nothing},
		{"post-categories-id-contacts", k.ID, object{"contacts": float64(1)}},
		{"post-categories", k.ID, nothing},
		{"post-contacts", c.ID, nothing},
	}, changes)
	var stored string
	require.NoError(t, s.store.Pool().QueryRow(`SELECT string_agg(a::text, '') FROM audit_log a`).Scan(&stored))
	for _, personal := range []string{"39980001", "amille", "Dominique", "private text", "long enough", "another password", "lea@", token.Token, "Shop"} {
		assert.NotContains(t, stored, personal)
	}
}

func TestLoginsFailedLoginsAndLogoutsAreRecorded(t *testing.T) {
	s := serve(t)
	u, _ := s.as(store.Admin)
	s.loginAs("nobody@example.com", "hunter2hunter2").problem(401)
	s.loginAs(u.Email, "hunter2hunter2").problem(401)
	session := s.loginAs(u.Email, adminPassword).session()
	require.Equal(t, 204, s.call("POST", "/auth/logout", nil, nobody, session).status)

	var got []string
	for _, e := range s.audit("") {
		who := "nobody"
		if e.UserID != nil {
			assert.Equal(t, u.ID, *e.UserID)
			who = "the user"
		}
		got = append(got, fmt.Sprintf("%s %s %s", e.Action, e.Outcome, who))
	}
	assert.Equal(t, []string{
		"post-auth-logout done the user", "post-auth-login done the user", "post-auth-login refused the user", "post-auth-login refused nobody",
	}, got)
	var stored string
	require.NoError(t, s.store.Pool().QueryRow(`SELECT string_agg(a::text, '') FROM audit_log a`).Scan(&stored))
	assert.NotContains(t, stored, "@example.com")
	assert.NotContains(t, stored, "hunter2")
}

func TestAWrongPasswordIsRecordedAlsoWhereSomebodyIsLoggedIn(t *testing.T) {
	s := serve(t)
	u, token := s.as(store.Admin)
	s.call("POST", "/auth/password", object{"current_password": "hunter2hunter2", "new_password": "another password"}, token).problem(422)
	recorded := s.audit("?action=post-auth-password")
	require.Len(t, recorded, 1)
	assert.Equal(t, "refused", recorded[0].Outcome)
	assert.Equal(t, u.ID, *recorded[0].UserID)
}

func TestTheAuditLogIsReadInPagesAndByUserActionAndSubject(t *testing.T) {
	s := serve(t)
	u, admin := s.as(store.Admin)
	var made []category
	for i := range 5 {
		made = append(made, read[category](s.call("POST", "/categories", object{"name": fmt.Sprint(i)}, admin), 201))
	}
	s.call("DELETE", "/categories/"+made[1].ID.String(), nil)

	assert.Len(t, s.audit("?user_id="+u.ID.String()), 5)
	assert.Len(t, s.audit("?action=delete-categories-id"), 1)
	assert.Len(t, s.audit("?subject_id="+made[1].ID.String()), 2)
	assert.Empty(t, s.audit("?user_id="+u.ID.String()+"&action=delete-categories-id"))

	var ids []int64
	cursor := ""
	for range 3 {
		got := read[page[auditEntry]](s.call("GET", "/audit?limit=2"+cursor, nil, admin), 200)
		for _, e := range got.Items {
			ids = append(ids, e.ID)
		}
		if got.NextCursor != nil {
			cursor = "&cursor=" + *got.NextCursor
		}
	}
	require.Len(t, ids, 6)
	for i := range ids[1:] {
		assert.Greater(t, ids[i], ids[i+1])
	}
	assert.Equal(t, []string{"query.cursor"}, s.call("GET", "/audit?cursor=x", nil).problem(422).locations())
}

func TestWhatNobodyKnowsTheEndOfStaysInTheAuditLog(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	// The change fails in a way that says nothing about what was done.
	_, err := s.store.Pool().Exec(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
		CREATE TRIGGER fail BEFORE DELETE ON contacts EXECUTE FUNCTION fail()`)
	require.NoError(t, err)
	s.call("DELETE", "/contacts/"+c.ID.String(), nil).problem(500)
	assert.Equal(t, "unknown", s.audit("?action=delete-contacts-id")[0].Outcome)

	// Without a place in the audit log nothing is changed.
	_, err = s.store.Pool().Exec(`ALTER TABLE audit_log RENAME TO lost`)
	require.NoError(t, err)
	s.call("POST", "/categories", object{"name": "unseen"}).problem(500)
	var made int
	require.NoError(t, s.store.Pool().QueryRow(`SELECT count(*) FROM categories`).Scan(&made))
	assert.Zero(t, made)
}

func TestOnlyReadingAndSimulatingGoUnrecorded(t *testing.T) {
	s := serve(t)
	for _, route := range s.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		op := s.operation(method, path)
		if op == nil || method == "GET" || access[route] == byWebhook || route == "POST /auth/login" {
			continue
		}
		unchanging := op.Metadata["unchanging"] != nil
		assert.Equal(t, route == "POST /campaigns/forecast" || route == "POST /campaigns/rehearse", unchanging, route)
	}
}
