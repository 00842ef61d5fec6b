package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// docs/api.md has a table of all routes with what the OpenAPI document says of each.
func TestTheGuideListsEveryRouteAndNoOther(t *testing.T) {
	s := serve(t)
	guide, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`?]*)[^`]*` \\| ([^|]*) \\|").FindAllStringSubmatch(string(guide), -1) {
		assert.Empty(t, listed[row[1]], "%s is listed twice", row[1])
		listed[row[1]] = strings.TrimSpace(row[2])
	}
	for path, item := range s.api.Document().Paths {
		for method, summary := range summaries(item) {
			assert.Equal(t, summary, listed[method+" "+path], method+" "+path)
			delete(listed, method+" "+path)
		}
	}
	assert.Empty(t, listed, "routes that the API does not have")
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

func summaries(item any) map[string]string {
	encoded, err := json.Marshal(item)
	if err != nil {
		panic(err)
	}
	var operations map[string]struct{ Summary string }
	if err := json.Unmarshal(encoded, &operations); err != nil {
		panic(err)
	}
	found := map[string]string{}
	for method, operation := range operations {
		if slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
			found[strings.ToUpper(method)] = operation.Summary
		}
	}
	return found
}
