package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/wassenger"
)

// wrongFor is a value that no field of a schema can have.
func (s *server) wrongFor(schema *huma.Schema) any {
	if schema.Ref != "" {
		schema = s.api.Document().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	if schema.Type == huma.TypeBoolean || schema.Type == huma.TypeNumber || schema.Type == huma.TypeInteger {
		return "text"
	}
	return true
}

func TestEvery422NamesTheFieldAndWhatWouldBeValid(t *testing.T) {
	s := serve(t)
	routes := s.bodied()
	require.Greater(t, len(routes), 10)
	for _, route := range routes {
		t.Run(route, func(t *testing.T) {
			s.t = t
			method, path, _ := strings.Cut(route, " ")
			op := s.operation(method, path)
			path = strings.ReplaceAll(path, "{id}", uuid.NewString())
			schema := op.RequestBody.Content["application/json"].Schema
			if schema.Ref != "" {
				schema = s.api.Document().Components.Schemas.SchemaFromRef(schema.Ref)
			}
			require.NotEmpty(t, schema.Properties)
			refused := func(body any, location string) {
				t.Helper()
				p := s.call(method, path, body).problem(422)
				assert.Contains(t, p.locations(), location)
				for _, e := range p.Errors {
					assert.NotEmpty(t, e.Location)
					assert.NotEmpty(t, e.Message)
				}
			}
			for name, property := range schema.Properties {
				refused(object{name: s.wrongFor(property)}, "body."+name)
			}
			for _, name := range schema.Required {
				refused(object{}, "body."+name)
			}
			refused(object{"nonsense": 1}, "body.nonsense")
			refused([]int{1}, "body")
			s.call(method, path, "{").problem(400)
			s.call(method, path, nil).problem(400)
		})
	}
}

// endless is a body that never ends, and counts what was taken of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 256<<20 {
		return 0, io.EOF // so that a server which takes anything fails the test, not the machine
	}
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestNoRouteTakesAnEndlessBody(t *testing.T) {
	s := serve(t)
	for _, route := range s.bodied() {
		t.Run(route, func(t *testing.T) {
			s.t = t
			method, path, _ := strings.Cut(route, " ")
			path = strings.ReplaceAll(path, "{id}", uuid.NewString())
			s.call(method, path, &endless{}).problem(413)
			s.call(method, path, &endless{}, header{"Idempotency-Key", uuid.NewString()}).problem(413)
		})
	}
	s.t = t
	s.call("POST", "/contacts/import", io.MultiReader(strings.NewReader("phone\n"), &endless{}), header{"Content-Type", "text/csv"}).problem(422) // a row without end
	s.call("POST", "/webhooks/wassenger", &endless{}, byToken).problem(413)
}

func TestEveryRouteHasATimeLimit(t *testing.T) {
	s := serve(t)
	for _, route := range s.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		op := s.operation(method, path)
		if op == nil {
			continue // pages out of the binary
		}
		limit, ok := op.Metadata["timeout"].(time.Duration)
		assert.True(t, ok, route)
		assert.Positive(t, limit, route)
		if route != "POST /contacts/import" { // a large file on a thin line
			assert.LessOrEqual(t, limit, time.Minute, route)
		}
		if op.RequestBody != nil && op.RequestBody.Content["application/json"] != nil {
			assert.Greater(t, op.BodyReadTimeout, limit, "%s: a read deadline that passes while the handler runs ends the request", route)
		}
	}
}

func TestOtherOriginsReadNothing(t *testing.T) {
	s := serve(t)
	for _, origin := range []string{"https://evil.example", "null", s.url} {
		for _, route := range s.api.Routes() {
			method, path, _ := strings.Cut(route, " ")
			path = strings.ReplaceAll(path, "{id}", uuid.NewString())
			preflight := s.call("OPTIONS", path, nil, nobody, header{"Origin", origin}, header{"Access-Control-Request-Method", method})
			preflight.problem(http.StatusMethodNotAllowed)
			asked := s.call("GET", path, nil, header{"Origin", origin})
			for _, a := range []answer{preflight, asked} {
				for name := range a.header {
					assert.False(t, strings.HasPrefix(name, "Access-Control-"), "%s: %s", route, name)
				}
			}
		}
	}
}

func TestEveryProblemTypeIsDocumentedOnOurOwnServer(t *testing.T) {
	s := serve(t)
	document := string(s.call("GET", "/docs/problems", nil, nobody).body)
	login := object{"email": adminEmail, "password": "wrong"}
	keyed := header{"Idempotency-Key", "one"}
	require.Equal(t, 201, s.call("POST", "/categories", object{"name": "A"}, keyed).status)
	for want, a := range map[string]answer{
		"malformed-request":      s.call("POST", "/categories", "{"),
		"unauthenticated":        s.call("GET", "/contacts", nil, nobody),
		"forbidden":              s.call("POST", "/auth/login", login, nobody, header{"Sec-Fetch-Site", "cross-site"}),
		"not-found":              s.call("GET", "/contacts/"+uuid.NewString(), nil),
		"method-not-allowed":     s.call("PATCH", "/contacts", nil),
		"conflict":               s.call("POST", "/categories", object{"name": "A"}),
		"too-large":              s.call("POST", "/categories", &endless{}),
		"unsupported-media-type": s.call("POST", "/categories", "a=b", header{"Content-Type", "text/plain"}),
		"validation-failed":      s.call("POST", "/categories", object{}),
		"idempotency-key-reused": s.call("POST", "/categories", object{"name": "B"}, keyed),
	} {
		p := read[struct{ Type, Title string }](a, a.status)
		assert.Equal(t, "/docs/problems#"+want, p.Type)
		assert.NotEmpty(t, p.Title)
		assert.Equal(t, 1, strings.Count(document, `id="`+want+`"`), "documented once")
	}
	for _, more := range []string{"too-many-requests", "idempotency-in-flight", "unavailable", "internal", "provider-failed"} {
		assert.Contains(t, document, `id="`+more+`"`)
	}
}

// slow is a provider that takes longer than a body may.
type slow struct{ takes time.Duration }

func (p slow) Send(ctx context.Context, _ wassenger.Outgoing) (wassenger.Accepted, error) {
	select {
	case <-time.After(p.takes):
		return wassenger.Accepted{}, nil
	case <-ctx.Done():
		return wassenger.Accepted{}, ctx.Err()
	}
}

func TestARequestThatTakesLongerThanItsBodyIsNotCutShort(t *testing.T) {
	if testing.Short() {
		t.Skip("6 seconds")
	}
	s := serve(t, func(o *api.Options) { o.Provider = slow{6 * time.Second} }) // huma's own limit for bodies is 5
	c := s.contact("+33639980001")
	started := read[struct{ Campaign struct{ ID uuid.UUID } }](
		s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	sent := s.call("POST", "/campaigns/"+started.Campaign.ID.String()+"/test-send", object{"phone": "+33639980003"}, key("k"))
	assert.Equal(t, 200, sent.status, "%s", sent.body)
}

func TestWhatTakesLongHasTimeOfItsOwn(t *testing.T) {
	s := serve(t)
	listening := httptest.NewUnstartedServer(s.api)
	listening.Config.WriteTimeout = time.Nanosecond // over before anything can be answered
	listening.Start()
	t.Cleanup(listening.Close)
	url := listening.URL
	_, err := http.Get(url + "/healthz")
	require.Error(t, err)

	hurried := *s
	hurried.url = url
	assert.Equal(t, 202, hurried.call("POST", "/contacts/import", "phone\n+33639980001\n", csvHeader).status)
	assert.Equal(t, 200, hurried.call("GET", "/contacts/export.csv", nil).status)
	assert.Equal(t, "overview", hurried.open(t, "/events", "").next().name)
}
