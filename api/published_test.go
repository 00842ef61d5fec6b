package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

func TestThePublishedDocumentIsWhatTheAPIServes(t *testing.T) {
	const published = "../docs/openapi.json"
	s := serve(t)
	var served bytes.Buffer
	require.NoError(t, json.Indent(&served, s.call("GET", "/openapi.json", nil, nobody).body, "", "  "))
	served.WriteByte('\n')
	if *update {
		require.NoError(t, os.WriteFile(published, served.Bytes(), 0o644))
	}
	kept, err := os.ReadFile(published)
	require.NoError(t, err)
	require.Equal(t, string(kept), served.String(), "the API has changed: run `make openapi`, and look at what it changes for callers")
}

// docs/api.md has a table of all routes: what each may be asked with, what the OpenAPI
// document says of it, and who may call it.
func TestTheGuideListsEveryRouteAndNoOther(t *testing.T) {
	s := serve(t)
	guide, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`?]*)[^`]*` \\|.*$").FindAllStringSubmatch(string(guide), -1) {
		assert.Empty(t, listed[row[1]], "%s is listed twice", row[1])
		listed[row[1]] = row[0]
	}
	for path := range s.api.Document().Paths {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if op := s.operation(method, path); op != nil {
				route := method + " " + path
				assert.Equal(t, guideRow(route, op), listed[route])
				delete(listed, route)
			}
		}
	}
	assert.Empty(t, listed, "routes that the API does not have")
}

func guideRow(route string, op *huma.Operation) string {
	var queries, notes []string
	switch fmt.Sprint(op.Metadata["access"]) {
	case "anyone":
		notes = append(notes, "open to anybody")
	case "provider":
		notes = append(notes, "the webhook's own token")
	case "super admin":
		notes = append(notes, "super_admin only")
	}
	for _, parameter := range op.Parameters {
		switch {
		case parameter.In == "query":
			queries = append(queries, parameter.Name+"=")
		case parameter.Name == "Idempotency-Key":
			notes = append(notes, "takes `Idempotency-Key`")
		}
	}
	if len(queries) > 0 {
		route += "?" + strings.Join(queries, "&")
	}
	return fmt.Sprintf("| `%s` | %s | %s |", route, op.Summary, strings.Join(notes, ", "))
}

// The guide's examples are one script, run as it stands.
func TestTheGuidesExamplesWork(t *testing.T) {
	guide, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		script.WriteString(block[1])
	}
	require.Greater(t, strings.Count(script.String(), "api "), 15)
	runsEverything(t, script.String())
}
