package bench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResultsTellWhereAndWhatWasMeasured(t *testing.T) {
	var measured table
	section := measured.add("Replies", "", "p99 ms", "target")
	section.add("ours", "12.0", "< 300")
	section.add("floor", "10.0")
	var written strings.Builder
	require.NoError(t, measured.writeMarkdown(&written, []string{"CPU: one"}))
	require.Contains(t, written.String(), `- CPU: one

## Replies

|  | p99 ms | target |
|---|---:|---:|
| ours | 12.0 | < 300 |
| floor | 10.0 |  |
`)
}

func TestTheMachineIsDescribed(t *testing.T) {
	described := strings.Join(machine([]string{"PostgreSQL: 17"}), "\n")
	require.Contains(t, described, "CPUs\n")
	require.Contains(t, described, "Go: go1.")
	require.Contains(t, described, "PostgreSQL: 17\nDate: ")
}
