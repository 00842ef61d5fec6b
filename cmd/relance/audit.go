package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	told, err := d.toldStats(ctx, id, found)
	if err != nil {
		return err
	}
	holds := true
	for _, check := range found.checks(stats, told) {
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

// apiStats is what GET /campaigns/{id}/stats answers, as far as the audit goes.
type apiStats struct {
	TotalContacts int `json:"total_contacts"`
	MessagesSent  int `json:"messages_sent"`
	ByType        struct {
		Message1 struct{ Sent int } `json:"message_1"`
		Message2 struct{ Sent int } `json:"message_2"`
	} `json:"by_type"`
}

func (s apiStats) agree(f findings) bool {
	return s.TotalContacts == f.recipients && s.ByType.Message1.Sent == f.message1 && s.ByType.Message2.Sent == f.message2 &&
		s.MessagesSent == f.message1+f.message2
}

// statsLag is how far behind the API's statistics may be (Property 15).
const statsLag = 5 * time.Second

// toldStats asks the API until it agrees with the ledger, as long as it may be behind.
func (d demonstration) toldStats(ctx context.Context, id uuid.UUID, f findings) (apiStats, error) {
	for begun := time.Now(); ; {
		var told apiStats
		if err := d.api.call(ctx, http.MethodGet, "/campaigns/"+id.String()+"/stats", nil, &told); err != nil {
			return told, err
		}
		if told.agree(f) || time.Since(begun) > statsLag {
			return told, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return told, err
		}
	}
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
	accepted := map[string][]simulator.Message{}
	for _, message := range ledger.Messages {
		accepted[message.Reference] = append(accepted[message.Reference], message)
	}
	replies := heardReplies(ledger)
	f := findings{recipients: len(correspondence), sent: map[campaign.RecipientState]int{}}
	for _, c := range correspondence {
		first, second := entries(accepted, c.Message1ID), entries(accepted, c.Message2ID)
		f.message1 += len(first)
		f.message2 += len(second)
		if len(first) > 1 || len(second) > 1 {
			f.doubled++
		}
		if (len(first) > 0) != c.State.Message1Left() || (len(second) > 0) != (c.State == campaign.Message2Sent) {
			f.misstated++
		}
		f.sent[c.State] += len(first)
		if len(first) > 0 {
			f.judge(replies[c.Phone], first[0], window, len(second) > 0)
		}
	}
	return f
}

// judge holds what a contact said within the window of a Message 1 against
// whether Message 2 left. A reply that quotes another message is about another
// campaign.
func (f *findings) judge(heard []heardReply, first simulator.Message, window time.Duration, answered bool) {
	opens, closes := first.At, first.At.Add(window)
	inTime, atTheEdge := false, false
	for _, reply := range heard {
		if reply.quoted != "" && reply.quoted != first.WaID {
			continue
		}
		inTime = inTime || !reply.at.Before(opens) && reply.at.Before(closes)
		atTheEdge = atTheEdge || reply.at.Sub(opens).Abs() < edge || reply.at.Sub(closes).Abs() < edge
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

func entries(accepted map[string][]simulator.Message, reference *uuid.UUID) []simulator.Message {
	if reference == nil {
		return nil
	}
	return accepted[reference.String()]
}

// heardReply is a reply that Relance has taken in.
type heardReply struct {
	at     time.Time
	quoted string // the WhatsApp id of the message it quotes, if any
}

// heardReplies are the replies of each phone number.
func heardReplies(ledger simulator.Ledger) map[string][]heardReply {
	said := map[string]simulator.Reply{}
	for _, reply := range ledger.Replies {
		said[reply.ID] = reply
	}
	heard := map[string][]heardReply{}
	for _, webhook := range ledger.Webhooks {
		if reply, ok := said[webhook.ReplyID]; ok && webhook.First2xxAt != nil && !webhook.Duplicate {
			heard[reply.Phone] = append(heard[reply.Phone], heardReply{at: *webhook.First2xxAt, quoted: reply.QuotedWaID})
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

func (f findings) checks(stats store.Stats, told apiStats) []check {
	return []check{
		{fmt.Sprintf("no message stands in the ledger twice (%d do)", f.doubled), f.doubled == 0},
		{fmt.Sprintf("the ledger proves every contact's final state (%d differ)", f.misstated), f.misstated == 0},
		{fmt.Sprintf("%d contacts replied in time, %d Message 2 left, none is missing (%d) and none was unearned (%d)",
			f.repliedInTime, f.message2, f.unanswered, f.unearned), f.unanswered == 0 && f.unearned == 0},
		{fmt.Sprintf("GET /campaigns/{id}/stats says the same: %d + %d messages sent to %d contacts",
			told.ByType.Message1.Sent, told.ByType.Message2.Sent, told.TotalContacts), told.agree(f)},
		{"everyone is final", finals(stats) == stats.TotalContacts},
	}
}
