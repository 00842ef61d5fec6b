package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

func key(value string) header { return header{"Idempotency-Key", value} }

// count counts the rows of a table.
func (s *server) count(table string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.store.Pool().QueryRow(`SELECT count(*) FROM `+table).Scan(&n))
	return n
}

func TestTheSameKeyAndRequestGetTheFirstAnswerByteByByte(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	for path, body := range map[string]any{
		"/contacts":        object{"phone": "+33639980002", "name": "Dominique"},
		"/categories":      object{"name": "A"},
		"/users":           object{"email": "lea@example.com", "password": "long enough", "role": "admin"},
		"/campaigns/start": meantFor(object{"contact_ids": []uuid.UUID{c.ID}}),
	} {
		t.Run(path, func(t *testing.T) {
			s.t = t
			first := s.call("POST", path, body, key(`"key-of`+path+`"`))
			require.Less(t, first.status, 300, "%s", first.body)
			entries := s.count("audit_log")
			for _, form := range []string{`"key-of` + path + `"`, "key-of" + path} {
				again := s.call("POST", path, body, key(form))
				assert.Equal(t, first.status, again.status)
				assert.Equal(t, string(first.body), string(again.body))
				for _, name := range []string{"Location", "Content-Type"} {
					assert.Equal(t, first.header.Values(name), again.header.Values(name))
				}
			}
			assert.Equal(t, entries, s.count("audit_log"), "nothing was done again")
		})
	}
	assert.Equal(t, 1, s.count("campaigns"))
	assert.Len(t, s.engine.started, 1)
}

func TestRefusalsAreAnsweredAgainToo(t *testing.T) {
	s := serve(t)
	first := s.call("POST", "/categories", object{"name": ""}, key("k"))
	first.problem(422)
	assert.Equal(t, string(first.body), string(s.call("POST", "/categories", object{"name": ""}, key("k")).body))
}

func TestAKeyBelongsToOneRequestOfOneUser(t *testing.T) {
	s := serve(t)
	_, other := s.as(store.Admin)
	require.Equal(t, 201, s.call("POST", "/categories", object{"name": "A"}, key("k")).status)
	for path, body := range map[string]any{
		"/categories":     object{"name": "B"},
		"/categories?x=1": object{"name": "A"},
		"/tokens":         object{"name": "A"},
	} {
		p := s.call("POST", path, body, key("k")).problem(422)
		assert.Equal(t, "/docs/problems#idempotency-key-reused", p.Type)
		assert.Equal(t, []string{"header.Idempotency-Key"}, p.locations())
	}
	assert.Equal(t, 201, s.call("POST", "/categories", object{"name": "B"}, key("k"), other).status, "another user's key is another key")
	for _, wrong := range []string{`"open`, `a b`, `""`, "é", strings.Repeat("x", 256)} {
		assert.Equal(t, []string{"header.Idempotency-Key"}, s.call("POST", "/categories", object{"name": "C"}, key(wrong)).problem(422).locations(), wrong)
	}
	assert.Equal(t, 2, s.count("categories"))
}

func TestOfManyAtOnceWithOneKeyOneRuns(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	body := meantFor(object{"contact_ids": []uuid.UUID{c.ID}})
	answers := make([]answer, 8)
	var calling sync.WaitGroup
	for i := range answers {
		calling.Go(func() { answers[i] = s.call("POST", "/campaigns/start", body, key("k")) })
	}
	calling.Wait()
	for _, a := range answers {
		if a.status == 409 {
			assert.Equal(t, "/docs/problems#idempotency-in-flight", a.problem(409).Type)
			assert.NotEmpty(t, a.header.Get("Retry-After"))
			continue
		}
		assert.Equal(t, 202, a.status)
	}
	assert.Equal(t, 1, s.count("campaigns"))
	assert.Equal(t, 202, s.call("POST", "/campaigns/start", body, key("k")).status)
}

// A campaign whose first run was stored and whose answer was lost, in one way or
// another, must not be launched a second time.
func TestACampaignIsLaunchedOnceWhateverBecameOfTheFirstAnswer(t *testing.T) {
	for name, lose := range map[string]string{
		"an answer of 500": `UPDATE idempotency_keys SET status = NULL, body = NULL, holder = NULL, held_until = NULL`,
		"the process died": `UPDATE idempotency_keys SET status = NULL, body = NULL, holder = gen_random_uuid(), held_until = relance_now() - interval '1 second'`,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			c := s.contact("+33639980001")
			body := meantFor(object{"contact_ids": []uuid.UUID{c.ID}})
			first := s.call("POST", "/campaigns/start", body, key("k"))
			require.Equal(t, 202, first.status)
			_, err := s.store.Pool().Exec(lose)
			require.NoError(t, err)
			again := s.call("POST", "/campaigns/start", body, key("k"))
			assert.Equal(t, 202, again.status)
			assert.Equal(t, first.header.Get("Location"), again.header.Get("Location"))
			assert.Equal(t, 1, s.count("campaigns"))
		})
	}
}

func TestAKeyInFlightIsTakenOverOnlyFromTheDead(t *testing.T) {
	s := serve(t)
	body := object{"name": "A"}
	require.Equal(t, 201, s.call("POST", "/categories", body, key("k")).status)
	_, err := s.store.Pool().Exec(`UPDATE idempotency_keys SET status = NULL, holder = gen_random_uuid(), held_until = relance_now() + interval '1 minute'`)
	require.NoError(t, err)
	p := s.call("POST", "/categories", body, key("k")).problem(409)
	assert.Equal(t, "/docs/problems#idempotency-in-flight", p.Type)
	_, err = s.store.Pool().Exec(`UPDATE idempotency_keys SET held_until = relance_now()`)
	require.NoError(t, err)
	p = s.call("POST", "/categories", body, key("k")).problem(409)
	assert.Equal(t, []string{"body.name"}, p.locations(), "it runs, and finds the name taken")
}

func TestAnAnswerOf500IsNotStored(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	started := read[struct{ Campaign struct{ ID uuid.UUID } }](
		s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	path := "/campaigns/" + started.Campaign.ID.String() + "/test-send"
	s.outbox.err = errors.New("connection refused")
	s.call("POST", path, object{"phone": "+33639980003"}, key("k")).problem(http.StatusBadGateway)
	s.outbox.err = nil
	assert.Equal(t, 200, s.call("POST", path, object{"phone": "+33639980003"}, key("k")).status)
	assert.Equal(t, 200, s.call("POST", path, object{"phone": "+33639980003"}, key("k")).status)
	assert.Len(t, s.outbox.sent, 2, "the third was answered from memory")
	assert.Equal(t, "/docs/problems#idempotency-key-reused", s.call("POST", path, object{"phone": "+33639980004"}, key("k")).problem(422).Type)
}

type dying struct{ died bool }

func (d *dying) Send(context.Context, wassenger.Outgoing) (wassenger.Accepted, error) {
	if !d.died {
		d.died = true
		panic("once")
	}
	return wassenger.Accepted{}, nil
}

func TestAPanicLetsGoOfTheKey(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.Provider = &dying{} })
	c := s.contact("+33639980001")
	started := read[struct{ Campaign struct{ ID uuid.UUID } }](
		s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	path := "/campaigns/" + started.Campaign.ID.String() + "/test-send"
	s.call("POST", path, object{"phone": "+33639980003"}, key("k")).problem(500)
	assert.Equal(t, 200, s.call("POST", path, object{"phone": "+33639980003"}, key("k")).status)
}

func TestNoSecretIsKeptUnderAKey(t *testing.T) {
	s := serve(t)
	made := read[struct {
		ID    uuid.UUID
		Token string
	}](s.call("POST", "/tokens", object{"name": "Shop"}, key("the-key")), 201)
	again := s.call("POST", "/tokens", object{"name": "Shop"}, key("the-key")).problem(409)
	assert.Contains(t, again.Detail, made.ID.String())
	assert.Equal(t, 2, s.count("api_tokens"), "the admin's own and one")

	s.call("POST", "/users", object{"email": "lea@example.com", "password": "hunter2hunter2", "role": "admin"}, key("the-key-too"))
	var stored string
	require.NoError(t, s.store.Pool().QueryRow(`SELECT string_agg(k::text || convert_from(coalesce(body, ''), 'UTF8'), '') FROM idempotency_keys k`).Scan(&stored))
	for _, secret := range []string{made.Token, "hunter2", "the-key"} {
		assert.NotContains(t, stored, secret)
	}
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	s := serve(t)
	require.Equal(t, 201, s.call("POST", "/categories", object{"name": "A"}, key("k")).status)
	_, err := s.store.Pool().Exec(`UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'`)
	require.NoError(t, err)
	assert.Equal(t, 201, s.call("POST", "/categories", object{"name": "B"}, key("k")).status)
}

func TestEveryRouteThatCreatesOrLaunchesTakesAKey(t *testing.T) {
	s := serve(t)
	takes := map[string]bool{}
	for _, route := range s.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if op := s.operation(method, path); op != nil {
			for _, parameter := range op.Parameters {
				takes[route] = takes[route] || parameter.Name == "Idempotency-Key"
			}
		}
	}
	for route, want := range map[string]bool{
		"POST /contacts": true, "POST /categories": true, "POST /users": true, "POST /tokens": true, "POST /campaigns/start": true,
		"POST /campaigns/{id}/start": true, "POST /campaigns/{id}/retry-failed": true, "POST /campaigns/{id}/test-send": true,
		"POST /contacts/import": false, "POST /campaigns/forecast": false, "GET /contacts": false,
	} {
		assert.Equal(t, want, takes[route], route)
	}
}
