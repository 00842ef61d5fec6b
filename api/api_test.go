package api_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
)

func TestAnAPINeedsItsParts(t *testing.T) {
	_, err := api.New(api.Options{})
	assert.Error(t, err)
	s := serve(t)
	_, err = api.New(api.Options{Store: s.store, Engine: s.engine, Webhooks: s.webhooks, Provider: s.outbox})
	assert.Error(t, err)
}

func TestTheOpenAPIDocumentListsEveryRoute(t *testing.T) {
	s := serve(t)
	answered := s.call("GET", "/openapi.json", nil, nobody)
	document := read[struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Security    []map[string][]string
			Responses   map[string]any
			RequestBody map[string]any `json:"requestBody"`
		}
		Components struct{ Schemas map[string]any }
	}](answered, 200)
	assert.Equal(t, "3.1.0", document.OpenAPI)

	ids := map[string]string{}
	for _, route := range s.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if path == "/openapi.json" || path == "/" || strings.HasPrefix(path, "/docs") || strings.HasPrefix(path, "/app/") {
			continue
		}
		operation, ok := document.Paths[path][strings.ToLower(method)]
		require.True(t, ok, "%s is not in the document", route)
		assert.NotEmpty(t, operation.Summary, route)
		assert.NotEmpty(t, operation.OperationID, route)
		assert.Empty(t, ids[operation.OperationID], "%s and %s have one operationId", route, ids[operation.OperationID])
		ids[operation.OperationID] = route
		assert.Equal(t, access[route] == anybody, len(operation.Security) == 0, "%s says who may call it", route)
		assert.NotEmpty(t, operation.Responses["default"], "%s says what its errors look like", route)
	}
	described := 0
	for _, operations := range document.Paths {
		described += len(operations)
	}
	assert.Len(t, ids, described)
	for _, path := range []string{"/contacts/import", "/webhooks/wassenger"} {
		assert.NotEmpty(t, document.Paths[path]["post"].RequestBody["content"], path)
	}
	for name := range document.Components.Schemas {
		assert.NotRegexp(t, regexp.MustCompile("View$"), name)
	}
}

func TestTheDocumentationLoadsNothingFromElsewhere(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/docs", "/docs/problems", "/docs/docs.js", "/docs/docs.css"} {
		a := s.call("GET", path, nil, nobody)
		require.Equal(t, 200, a.status)
		assert.NotRegexp(t, regexp.MustCompile(`(https?:)?//[a-z]+\.[a-z]`), string(a.body))
		policy := a.header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'")
		assert.NotContains(t, policy, "unsafe")
	}
}

func TestHealthIsToldToAnybody(t *testing.T) {
	s := serve(t)
	assert.Equal(t, object{"status": "ok"}, read[object](s.call("GET", "/healthz", nil, nobody), 200))
	assert.Equal(t, object{"status": "ready", "database": "ok", "temporal": "ok", "redis": "off"}, read[object](s.call("GET", "/readyz", nil, nobody), 200))

	s.engine.err = errors.New("dial tcp 10.0.0.7: connection refused")
	assert.Equal(t, "unreachable", read[object](s.call("GET", "/readyz", nil, nobody), 200)["temporal"], "and still ready")

	require.NoError(t, s.store.Close())
	s.call("GET", "/readyz", nil, nobody).problem(503)
	assert.Equal(t, 200, s.call("GET", "/healthz", nil, nobody).status)
	s.call("GET", "/contacts", nil).problem(500)
}

func TestAnAPIThatIsAboutToStopIsNotReadyAndGoesOnServing(t *testing.T) {
	s := serve(t)
	s.api.TakeLeave()
	s.call("GET", "/readyz", nil, nobody).problem(503)
	assert.Equal(t, 200, s.call("GET", "/healthz", nil, nobody).status)
	assert.Equal(t, 200, s.call("GET", "/contacts", nil).status)
}

func TestEveryAnswerCarriesSecurityHeadersAndARequestID(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/contacts", "/nowhere", "/docs", "/healthz"} {
		a := s.call("GET", path, nil)
		assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "DENY", a.header.Get("X-Frame-Options"), path)
		assert.Equal(t, "no-store", a.header.Get("Cache-Control"), path)
		assert.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'", path)
		assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"), path)
		assert.NotEmpty(t, a.header.Get("X-Request-ID"), path)
	}
	assert.Equal(t, "abc-1", s.call("GET", "/contacts", nil, header{"X-Request-ID", "abc-1"}).header.Get("X-Request-ID"))
	assert.NotEqual(t, "a b", s.call("GET", "/contacts", nil, header{"X-Request-ID", "a b"}).header.Get("X-Request-ID"))
	assert.NotEmpty(t, s.call("GET", "/contacts", nil, header{"X-Forwarded-Proto", "https"}).header.Get("Strict-Transport-Security"))
}

func TestTheLogHasOneLinePerRequestAndNothingPersonal(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	s.call("GET", "/contacts?q=Camille", nil)
	s.call("GET", "/contacts/"+c.ID.String(), nil)
	s.call("GET", "/camille/+33639980001", nil)
	s.call("POST", "/webhooks/wassenger?token="+url.QueryEscape(webhookToken), event, nobody)
	s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}, "message_1": "A very private text"}))
	s.call("POST", "/auth/login", object{"email": adminEmail, "password": adminPassword}, nobody)

	log := s.log.String()
	for _, personal := range []string{"639980001", "amille", "private text", webhookToken, adminToken, adminPassword, adminEmail} {
		assert.NotContains(t, log, personal)
	}
	var routes []string
	for line := range strings.Lines(log) {
		var entry struct {
			Msg, Route, Method string
			Status             int
			RequestID          string `json:"request_id"`
			UserID             string `json:"user_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		if entry.Msg != "request" {
			continue
		}
		routes = append(routes, entry.Method+" "+entry.Route)
		assert.NotEmpty(t, entry.RequestID)
		assert.NotZero(t, entry.Status)
		if entry.Route == "/contacts/:id" {
			assert.NotEmpty(t, entry.UserID)
		}
	}
	assert.Equal(t, []string{
		"POST /contacts", "GET /contacts", "GET /contacts/:id", "GET (none)", "POST /webhooks/wassenger", "POST /campaigns/start", "POST /auth/login",
	}, routes)
}

func TestLargeAnswersAreCompressedForWhomItSuits(t *testing.T) {
	s := serve(t)
	s.importCSV("", manyRows(100))
	plain := s.call("GET", "/contacts?limit=100", nil)
	assert.Empty(t, plain.header.Get("Content-Encoding"))

	for encoding, compressed := range map[string]bool{
		"gzip": true, "br, gzip;q=0.8": true, "*": true, "br": false, "gzip;q=0": false, "identity": false,
	} {
		a := s.call("GET", "/contacts?limit=100", nil, header{"Accept-Encoding", encoding})
		assert.Equal(t, "Accept-Encoding", a.header.Get("Vary"))
		assert.Equal(t, compressed, a.header.Get("Content-Encoding") == "gzip", encoding)
		body := a.body
		if compressed {
			assert.Less(t, len(body), len(plain.body)/3)
			unpacked, err := gzip.NewReader(strings.NewReader(string(body)))
			require.NoError(t, err)
			body, err = io.ReadAll(unpacked)
			require.NoError(t, err)
		}
		assert.JSONEq(t, string(plain.body), string(body))
	}
	small := s.call("GET", "/healthz", nil, header{"Accept-Encoding", "gzip"})
	assert.Empty(t, small.header.Get("Content-Encoding"))
	none := s.call("DELETE", "/contacts/"+s.contact("+33639980001").ID.String(), nil, header{"Accept-Encoding", "gzip"})
	assert.Equal(t, http.StatusNoContent, none.status)
	assert.Empty(t, none.body)
}

func TestMalformedBodiesAreProblems(t *testing.T) {
	s := serve(t)
	s.call("POST", "/categories", `{"name":`).problem(400)
	s.call("POST", "/categories", `"name"`).problem(422)
	s.call("POST", "/categories", `name=x`, header{"Content-Type", "application/x-www-form-urlencoded"}).problem(415)
	s.call("POST", "/categories", nil).problem(400)
	s.call("POST", "/categories", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`).problem(413)
	assert.Equal(t, []string{"path.id"}, s.call("GET", "/contacts/not-an-id", nil).problem(422).locations())
}
