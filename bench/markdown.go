package bench

import (
	"fmt"
	"io"
	"strings"
)

// preface says what the figures are, and what they are to be held against.
const preface = `# Results

Written by ` + "`make bench`" + `: everything below was measured in one run, one benchmark after another, the floor beside ours on the
same servers. How, is said in [doc.go](doc.go). Times are p50, p99 and the longest of all; nothing is estimated.

- Message 1/s counts from ` + "`POST /campaigns/start`" + ` until the provider has accepted the last; Message 2/s from the first webhook until
  it has accepted the last; finished/s until the workflows of all who replied have ended.
- The floor of campaigns is the same three workflows with activities that do nothing. Ratios are to the one with remote activities.
- "Through the workflows alone" is SEND_AHEAD=false: no message leaves but by its contact's own workflow.
- CPU is processor time, user and system, of all processes of that name; elsewhere is what none of this run's processes used.
- Each run fails if a request is refused, or a message lost or sent twice.

The aim is to be better than the stack that Relance began with (FastAPI, Celery, Redis and PostgreSQL), on a machine of the same
class: 124 Message 1/s, 100 Message 2/s, 18 ms of CPU per contact, and 1,000 replies at once answered with p50 4.5 s and p99
6.3 s. That stack loses messages when its worker or Redis is killed.

`

// writeMarkdown writes what print shows, and where it was measured.
func (t *table) writeMarkdown(to io.Writer, machine []string) error {
	var text strings.Builder
	text.WriteString(preface)
	for _, fact := range machine {
		fmt.Fprintf(&text, "- %s\n", fact)
	}
	for _, s := range t.filled() {
		s.markdown(&text)
	}
	if _, err := io.WriteString(to, text.String()); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

func (s *section) markdown(to *strings.Builder) {
	fmt.Fprintf(to, "\n## %s\n\n", s.title)
	for i, cells := range s.padded() {
		fmt.Fprintf(to, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(to, "|---|%s\n", strings.Repeat("---:|", len(cells)-1))
		}
	}
}
