package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// story is one contact's correspondence and the provider's record of it.
type story struct {
	correspondence store.Correspondence
	ledger         simulator.Ledger
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func answered() story {
	first, second := uuid.New(), uuid.New()
	heard := noon.Add(10 * time.Minute)
	return story{
		correspondence: store.Correspondence{Phone: "+33639980000", State: campaign.Message2Sent, Message1ID: &first, Message2ID: &second},
		ledger: simulator.Ledger{
			Messages: []simulator.Message{
				{At: noon, ID: "1", WaID: "w1", Reference: first.String(), Phone: "+33639980000"},
				{At: heard.Add(time.Second), ID: "2", WaID: "w2", Reference: second.String(), Phone: "+33639980000"},
			},
			Replies:  []simulator.Reply{{ID: "r", Phone: "+33639980000"}},
			Webhooks: []simulator.Webhook{{ReplyID: "r", First2xxAt: &heard}},
		},
	}
}

func (s story) audit() findings {
	return compare([]store.Correspondence{s.correspondence}, s.ledger, time.Hour)
}

func TestAuditAcceptsWhatTheLedgerProves(t *testing.T) {
	f := answered().audit()
	require.Equal(t, []int{1, 1, 1, 0, 0, 0, 0}, []int{f.message1, f.message2, f.repliedInTime, f.doubled, f.misstated, f.unanswered, f.unearned})
}

func TestAuditNoticesADoubledMessage(t *testing.T) {
	s := answered()
	s.ledger.Messages = append(s.ledger.Messages, s.ledger.Messages[0])
	require.Equal(t, 1, s.audit().doubled)
}

func TestAuditNoticesAStateThatTheLedgerDoesNotProve(t *testing.T) {
	s := answered()
	s.ledger.Messages = s.ledger.Messages[:1]
	f := s.audit()
	require.Equal(t, []int{1, 1}, []int{f.misstated, f.unanswered})
}

func TestAuditNoticesAnAnswerThatNobodyEarned(t *testing.T) {
	for name, spoil := range map[string]func(*story){
		"no reply":                  func(s *story) { s.ledger.Webhooks = nil },
		"a late reply":              func(s *story) { late := noon.Add(2 * time.Hour); s.ledger.Webhooks[0].First2xxAt = &late },
		"a reply to something else": func(s *story) { s.ledger.Replies[0].QuotedWaID = "another" },
	} {
		t.Run(name, func(t *testing.T) {
			s := answered()
			spoil(&s)
			require.Equal(t, 1, s.audit().unearned)
		})
	}
}
