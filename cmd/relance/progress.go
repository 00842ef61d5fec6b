package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// progressLine shows a campaign on one line of a terminal, rewritten in place,
// or as a line every few seconds where there is no terminal.
type progressLine struct {
	out      io.Writer
	live     bool
	window   time.Duration
	printed  time.Time
	done     bool      // the last line showed everyone as final
	sending  time.Time // when the first look was
	sent1    int64     // Message 1s that had left at the last look
	lastSent time.Time // and when that number last grew
}

const plainEvery = 5 * time.Second

func newProgressLine(out *os.File, window time.Duration) *progressLine {
	return &progressLine{out: out, live: term.IsTerminal(int(out.Fd())), window: window}
}

func (l *progressLine) show(stats store.Stats, now time.Time) {
	left := l.estimate(stats, now)
	final := finals(stats)
	done := stats.TotalContacts > 0 && final == stats.TotalContacts
	if !l.live && (l.done || now.Sub(l.printed) < plainEvery && !done) {
		return
	}
	l.printed, l.done = now, done
	line := fmt.Sprintf("sent %d  delivered %d  read %d  replied %d  answered %d  final %d/%d  %s",
		stats.Messages.Sent, stats.Messages.Delivered, stats.Messages.Read, stats.Replied,
		stats.ByType[campaign.Message2].Sent, final, stats.TotalContacts, bar(final, stats.TotalContacts))
	if final < stats.TotalContacts && left > 0 {
		line += fmt.Sprintf("  about %s left", left.Round(time.Second))
	}
	if l.live {
		fmt.Fprintf(l.out, "\r\033[K%s", line)
		return
	}
	fmt.Fprintln(l.out, line)
}

// end leaves the line.
func (l *progressLine) end() {
	if l.live {
		fmt.Fprintln(l.out)
	}
}

// estimate is how long the campaign will go on: what is left to send at the
// pace so far, and then the window of the last one.
func (l *progressLine) estimate(stats store.Stats, now time.Time) time.Duration {
	sent := stats.ByType[campaign.Message1].Sent
	if l.sending.IsZero() {
		l.sending, l.lastSent, l.sent1 = now, now, sent
	}
	if sent > l.sent1 {
		l.sent1, l.lastSent = sent, now
	}
	left := l.lastSent.Add(l.window).Sub(now)
	if unsent := stats.States[campaign.Pending] + stats.States[campaign.Admitted]; unsent > 0 && sent > 0 {
		left += time.Duration(float64(now.Sub(l.sending)) / float64(sent) * float64(unsent))
	}
	return max(left, 0)
}

func finals(stats store.Stats) int64 {
	var n int64
	for state, count := range stats.States {
		if state.Final() {
			n += count
		}
	}
	return n
}

const barWidth = 24

func bar(done, total int64) string {
	if total == 0 {
		return ""
	}
	full := int(done * barWidth / total)
	return fmt.Sprintf("[%s%s] %3d %%", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), done*100/total)
}
