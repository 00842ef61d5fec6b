package api_test

import (
	"encoding/json"
	"mime"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
)

// asDocumented holds an answer against what the OpenAPI document says of its
// route. Every call of every test goes through it.
func (s *server) asDocumented(method, path string, a answer) {
	s.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	operation := s.operation(method, path)
	if operation == nil {
		return // a path outside of the document
	}
	response := operation.Responses[strconv.Itoa(a.status)]
	if response == nil {
		response = operation.Responses["default"]
		assert.GreaterOrEqual(s.t, a.status, 400, "%s %s answers with an undocumented success", method, path)
	}
	if len(a.body) == 0 || a.header.Get("Content-Encoding") != "" {
		return
	}
	contentType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	assert.NoError(s.t, err)
	content := response.Content[contentType]
	if !assert.NotNil(s.t, content, "%s %s answers %d with %s, which is not documented", method, path, a.status, contentType) {
		return
	}
	if !strings.HasSuffix(contentType, "json") {
		return // text, which the schema says nothing more about
	}
	var body any
	assert.NoError(s.t, json.Unmarshal(a.body, &body))
	result := &huma.ValidateResult{}
	huma.Validate(s.api.Document().Components.Schemas, content.Schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, body, result)
	assert.Empty(s.t, result.Errors, "%s %s: the answer is not what the document says: %s", method, path, a.body)
}

// operation finds the documented operation that a path belongs to.
func (s *server) operation(method, path string) *huma.Operation {
	paths := s.api.Document().Paths
	item := paths[path]
	for template, candidate := range paths {
		if item == nil && matches(template, path) {
			item = candidate
		}
	}
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[method]
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}
