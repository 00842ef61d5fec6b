package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
)

func TestWhateverACallerMaySendHasAnExample(t *testing.T) {
	document := serve(t).api.Document()
	e := examples{t: t, schemas: document.Components.Schemas}
	for path, item := range document.Paths {
		for _, operation := range operations(item) {
			for _, p := range operation.Parameters {
				if (p.In == "query" || p.In == "path") && p.Name != "cursor" { // a cursor is only ever one that was answered
					assert.NotEmpty(t, p.Schema.Examples, "%s %s: the parameter %s", operation.Method, path, p.Name)
				}
			}
			if operation.RequestBody == nil {
				continue
			}
			for kind, content := range operation.RequestBody.Content {
				if content.Example == nil {
					e.required(operation.Method+" "+path+" "+kind, content.Schema)
				}
			}
		}
	}
}

func TestEveryExampleIsValid(t *testing.T) {
	document := serve(t).api.Document()
	e := examples{t: t, schemas: document.Components.Schemas}
	checked := 0
	for name, schema := range e.schemas.Map() {
		checked += e.valid(name, schema)
	}
	for path, item := range document.Paths {
		for _, operation := range operations(item) {
			for _, p := range operation.Parameters {
				checked += e.valid(path+" "+p.Name, p.Schema)
			}
		}
	}
	assert.Greater(t, checked, 150)
}

func TestTheExampleOfAWebhookIsAReply(t *testing.T) {
	body := serve(t).api.Document().Paths["/webhooks/wassenger"].Post.RequestBody.Content["application/json"].Example
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	events, err := wassenger.ParseWebhook(encoded)
	require.NoError(t, err)
	require.Len(t, events, 1)
	assert.Equal(t, campaign.EventReply, events[0].Kind)
	assert.Equal(t, "+33639980001", events[0].Phone)
}

func operations(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete}
	return slices.DeleteFunc(all, func(o *huma.Operation) bool { return o == nil })
}

// examples looks through the document's schemas.
type examples struct {
	t       *testing.T
	schemas huma.Registry
}

func (e examples) resolved(schema *huma.Schema) *huma.Schema {
	for schema.Ref != "" {
		schema = e.schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

// required walks down to the fields that are no objects of named fields themselves.
func (e examples) required(place string, schema *huma.Schema) {
	schema = e.resolved(schema)
	require.NotEmpty(e.t, schema.Properties, "%s: a body of no fields needs an example of its own", place)
	for name, field := range schema.Properties {
		inner := e.resolved(field)
		if inner.Type == huma.TypeArray {
			inner = e.resolved(inner.Items)
		}
		if len(inner.Properties) > 0 {
			e.required(place+"."+name, inner)
			continue
		}
		assert.NotEmpty(e.t, field.Examples, "%s.%s", place, name)
	}
}

// valid holds the examples of a schema, and of the fields in it, against it, and
// counts them.
func (e examples) valid(place string, schema *huma.Schema) int {
	for _, example := range schema.Examples {
		encoded, err := json.Marshal(example)
		require.NoError(e.t, err)
		var value any
		require.NoError(e.t, json.Unmarshal(encoded, &value))
		result := &huma.ValidateResult{}
		huma.Validate(e.schemas, schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, value, result)
		assert.Empty(e.t, result.Errors, "%s: %s", place, encoded)
		for _, text := range strings.FieldsFunc(string(encoded), func(r rune) bool { return r != '+' && (r < '0' || r > '9') }) {
			if strings.HasPrefix(text, "+") && len(text) > 8 {
				assert.True(e.t, strings.HasPrefix(text, "+3363998"), "%s: %s may be somebody's number", place, text)
			}
		}
	}
	n := len(schema.Examples)
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if field := schema.Properties[name]; field.Ref == "" {
			n += e.valid(place+"."+name, field)
		}
	}
	if schema.Items != nil && schema.Items.Ref == "" {
		n += e.valid(place+"[]", schema.Items)
	}
	return n
}
