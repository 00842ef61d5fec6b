package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whether the tests exist, TestEveryTestThatTheDocumentsNameExists looks.
func TestEveryDefenceNamesTheTestBehindIt(t *testing.T) {
	requireTestInEachRow(t, "security.md", "attack", 25)
}

func TestEveryPromiseNamesTheTestBehindIt(t *testing.T) {
	requireTestInEachRow(t, "guarantees.md", "what dies", 20)
	requireTestInEachRow(t, "guarantees.md", "promise", 9)
}

// requireTestInEachRow looks at the last cells of all tables whose first column is
// called so.
func requireTestInEachRow(t *testing.T, document, first string, atLeast int) {
	t.Helper()
	content, err := os.ReadFile(document)
	require.NoError(t, err)
	test := regexp.MustCompile("`(Test|Fuzz)[A-Za-z0-9_]+`|no test: ")
	rows, within := 0, false
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		switch {
		case !strings.HasPrefix(line, "|"):
			within = false
		case cells[0] == first:
			within = true
		case within && !strings.HasPrefix(line, "|--"):
			require.Regexp(t, test, cells[len(cells)-1], cells[0])
			rows++
		}
	}
	require.GreaterOrEqual(t, rows, atLeast)
}
