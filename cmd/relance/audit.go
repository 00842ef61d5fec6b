package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// errAudit says that the demonstration did not go as promised.
var errAudit = errors.New("the demonstration does not agree with the provider's ledger")

// audit compares a finished campaign with the provider's ledger, prints both
// and every check, and fails when one does not hold.
func (d demonstration) audit(ctx context.Context, id uuid.UUID) error {
	correspondence, err := d.services.store.Correspondences(ctx, id)
	if err != nil {
		return err
	}
	stats, err := d.services.store.CampaignStats(ctx, id)
	if err != nil {
		return err
	}
	found := compare(correspondence, d.simulator.Ledger(), d.services.config.ReplyWindow)
	if err := found.print(stats); err != nil {
		return err
	}
	holds := true
	for _, check := range found.checks(stats) {
		mark := "✓"
		if !check.holds {
			mark, holds = "✗", false
		}
		say("  %s %s", mark, check.statement)
	}
	if !holds {
		return errAudit
	}
	return nil
}

// findings is what the ledger says about a campaign.
type findings struct {
	recipients         int
	message1, message2 int // entries in the ledger
	sent               map[campaign.RecipientState]int
	doubled            int // references that stand in the ledger more than once
	misstated          int // recipients whose state the ledger does not prove
	repliedInTime      int
	unanswered         int // replied in time and got no Message 2
	unearned           int // got a Message 2 without a reply in time
}

// edge is how close to the end of the window a reply must come for ledger and
// database, each with a clock of its own and a network between, to differ.
const edge = time.Second

func compare(correspondence []store.Correspondence, ledger simulator.Ledger, window time.Duration) findings {
	sentAt := map[string][]time.Time{}
	for _, message := range ledger.Messages {
		sentAt[message.Reference] = append(sentAt[message.Reference], message.At)
	}
	replies := repliesByMessage(ledger)
	waID := map[string]string{}
	for _, message := range ledger.Messages {
		waID[message.Reference] = message.ID
	}
	f := findings{recipients: len(correspondence), sent: map[campaign.RecipientState]int{}}
	for _, c := range correspondence {
		first, second := entries(sentAt, c.Message1ID), entries(sentAt, c.Message2ID)
		f.message1 += len(first)
		f.message2 += len(second)
		if len(first) > 1 || len(second) > 1 {
			f.doubled++
		}
		if (len(first) > 0) != c.State.Message1Left() || (len(second) > 0) != (c.State == campaign.Message2Sent) {
			f.misstated++
		}
		f.sent[c.State] += len(first)
		if len(first) > 0 && c.Message1ID != nil {
			f.judgeReply(replies[waID[c.Message1ID.String()]], first[0].Add(window), len(second) > 0)
		}
	}
	return f
}

func (f *findings) judgeReply(heard []time.Time, windowEnds time.Time, answered bool) {
	inTime, atTheEdge := false, false
	for _, at := range heard {
		inTime = inTime || at.Before(windowEnds)
		atTheEdge = atTheEdge || at.Sub(windowEnds).Abs() < edge
	}
	if inTime {
		f.repliedInTime++
	}
	switch {
	case atTheEdge: // either is right
	case inTime && !answered:
		f.unanswered++
	case !inTime && answered:
		f.unearned++
	}
}

func entries(sentAt map[string][]time.Time, reference *uuid.UUID) []time.Time {
	if reference == nil {
		return nil
	}
	return sentAt[reference.String()]
}

// repliesByMessage tells when Relance first took in each reply to a message.
func repliesByMessage(ledger simulator.Ledger) map[string][]time.Time {
	answers := map[string]string{}
	for _, reply := range ledger.Replies {
		answers[reply.ID] = reply.MessageID
	}
	heard := map[string][]time.Time{}
	for _, webhook := range ledger.Webhooks {
		if message, ok := answers[webhook.ReplyID]; ok && webhook.First2xxAt != nil {
			heard[message] = append(heard[message], *webhook.First2xxAt)
		}
	}
	return heard
}

func (f findings) print(stats store.Stats) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	rows := []string{"Final state\tcontacts\tMessage 1 in the ledger\t"}
	for _, state := range campaign.RecipientStates {
		if stats.States[state] > 0 {
			rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t", state, stats.States[state], f.sent[state]))
		}
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(table, row); err != nil {
			return fmt.Errorf("printing the final states: %w", err)
		}
	}
	return table.Flush()
}

type check struct {
	statement string
	holds     bool
}

func (f findings) checks(stats store.Stats) []check {
	return []check{
		{fmt.Sprintf("no message stands in the ledger twice (%d do)", f.doubled), f.doubled == 0},
		{fmt.Sprintf("the ledger proves every contact's final state (%d differ)", f.misstated), f.misstated == 0},
		{fmt.Sprintf("%d contacts replied in time, %d Message 2 left, none is missing (%d) and none was unearned (%d)",
			f.repliedInTime, f.message2, f.unanswered, f.unearned), f.unanswered == 0 && f.unearned == 0},
		{fmt.Sprintf("the statistics agree: %d + %d messages sent to %d contacts", f.message1, f.message2, f.recipients),
			stats.ByType[campaign.Message1].Sent == int64(f.message1) && stats.ByType[campaign.Message2].Sent == int64(f.message2) &&
				stats.TotalContacts == int64(f.recipients)},
		{"everyone is final", finals(stats) == stats.TotalContacts},
	}
}
