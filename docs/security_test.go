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
	content, err := os.ReadFile("security.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`(Test|Fuzz)[A-Za-z0-9_]+`|no test: ")
	defences := 0
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || cells[0] == "| attack" {
			continue
		}
		require.Regexp(t, named, cells[2], cells[0])
		defences++
	}
	require.Greater(t, defences, 25)
}
