package main

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

// charge is a kind of broken promise (docs/guarantees.md).
type charge string

// The charges.
const (
	lost         charge = "lost"         // a message that nobody accounts for, or a reply that was taken in
	doubled      charge = "doubled"      // a message left twice
	overQuota    charge = "over quota"   // more than the limit left in one window
	unanswered   charge = "unanswered"   // a reply in time has no Message 2, and nothing says why
	unearned     charge = "unearned"     // a message left to somebody whom it was not for
	inconsistent charge = "inconsistent" // ledger, database and workflows tell different things
	statistics   charge = "statistics"   // numbers are not those of the ledger
	restless     charge = "restless"     // it did not come to its end
	fallen       charge = "fallen"       // a process ended by itself
)

var charges = []charge{lost, doubled, overQuota, unanswered, unearned, inconsistent, statistics, restless, fallen}

// violation is one broken promise.
type violation struct {
	charge charge
	detail string // names contacts by their ids
}

// clocks is how far the ledger's clock and the database's, which is as precise as a
// microsecond, may be apart on one machine.
const clocks = time.Millisecond

// onItsWay is how long a message may be on its way to the provider: for as long as a
// request may take, and links delay. A provider that is frozen takes it later still.
const onItsWay = providerTimeout + sendSettle/2 + clocks

// judgement holds the evidence against what docs/guarantees.md promises.
type judgement struct {
	evidence
	violations []violation

	left     map[uuid.UUID][]simulator.Message // by reference
	acks     map[string]acknowledged           // of messages, by the provider's id
	places   map[uuid.UUID]campaignPlan        // of campaigns
	contacts map[string][]key                  // by phone
	bounced  map[key]bool                      // Message 1 was reported as undelivered

	// What there is to tell beside violations.
	edges  int             // replies on their way when a window ended
	dated  []time.Duration // by how much parked replies were dated late
	honest map[string]int  // contacts without a message, and why
	peak   int             // messages in the fullest window
}

// acknowledged is what the provider has told, and was told that it was heard.
type acknowledged struct{ delivered, read, failed bool }

func judge(e evidence) *judgement {
	j := &judgement{
		evidence: e, left: map[uuid.UUID][]simulator.Message{}, acks: map[string]acknowledged{},
		places: map[uuid.UUID]campaignPlan{}, contacts: map[string][]key{}, bounced: map[key]bool{}, honest: map[string]int{},
	}
	for i, id := range e.launched {
		j.places[id] = e.plan.campaigns[i]
	}
	for k, r := range e.recipients {
		j.contacts[r.phone] = append(j.contacts[r.phone], k)
	}
	j.judgeAudience()
	j.judgeLedger()
	j.judgeMessages()
	j.judgeQuota()
	j.judgeReplies()
	j.judgeRecipients()
	j.judgeWishes()
	j.judgePauses()
	j.judgeWorkflows()
	j.judgeStatistics()
	return j
}

func (j *judgement) require(holds bool, c charge, format string, args ...any) {
	if !holds {
		j.violations = append(j.violations, violation{c, fmt.Sprintf(format, args...)})
	}
}

// judgeAudience: there are as many campaigns as were started, and each is for its
// contacts, except those who had opted out before it began.
func (j *judgement) judgeAudience() {
	j.require(len(j.campaigns) == len(j.plan.campaigns), inconsistent, "%d campaigns were started and there are %d", len(j.plan.campaigns), len(j.campaigns))
	for _, c := range j.campaigns {
		place, known := j.places[c.id]
		j.require(known, inconsistent, "campaign %s is not one that was started", c.id)
		expected := campaign.Completed
		if _, over := j.ended[c.id]; over {
			expected = campaign.Cancelled
		}
		j.require(c.status == expected, restless, "campaign %s is %s, it should be %s", c.id, c.status, expected)
		for i := place.from; i < place.to; i++ {
			phone := phoneOf(i)
			in := false
			for _, k := range j.contacts[phone] {
				in = in || k.campaign == c.id
			}
			out, optedOut := j.optOuts[phone]
			j.require(in || optedOut && out.Before(c.startedAt.Time), lost, "contact %d is not in campaign %s", i, c.id)
		}
	}
	for k, r := range j.recipients {
		place := j.places[k.campaign]
		in := false
		for i := place.from; i < place.to; i++ {
			in = in || phoneOf(i) == r.phone
		}
		j.require(in, inconsistent, "%s is in a campaign that is not for them", k)
	}
}

func (k key) String() string { return fmt.Sprintf("contact %s of campaign %s", k.contact, k.campaign) }

// judgeWorkflows: all have ended, and well, and whoever was admitted has had one.
func (j *judgement) judgeWorkflows() {
	seen := map[string]bool{}
	for _, run := range j.runs {
		seen[run.id] = true
		j.require(run.status == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, inconsistent, "workflow %s is %s", run.id, run.status)
	}
	for _, c := range j.campaigns {
		j.require(seen[workflows.CampaignID(c.id)], inconsistent, "campaign %s has no workflow", c.id)
	}
	for k, r := range j.recipients {
		j.require(!r.admitted || seen[workflows.ContactID(k.campaign, k.contact)], inconsistent, "%s has no workflow and is %s", k, r.state)
	}
}

// judgePauses: from the moment a pause is answered no Message 1 is claimed, and from
// that of a cancellation nothing.
func (j *judgement) judgePauses() {
	for _, m := range j.messages {
		if over, ok := j.ended[m.campaign]; ok && m.claimedAt.Valid {
			j.require(m.claimedAt.Time.Before(over), unearned, "message %s was claimed %s after its campaign was cancelled", m.id, m.claimedAt.Time.Sub(over))
		}
	}
	for _, p := range j.pauses {
		for _, m := range j.messages {
			if m.campaign != p.campaign || m.kind != campaign.Message1 || !m.claimedAt.Valid {
				continue
			}
			at := m.claimedAt.Time
			j.require(at.Before(p.from) || at.After(p.to), unearned, "message %s was claimed %s after its campaign was paused", m.id, at.Sub(p.from))
		}
	}
}

// judgeWishes: who asks to be left alone is sent nothing more, but for what was on
// its way.
func (j *judgement) judgeWishes() {
	for _, r := range j.ledger.Replies {
		if campaign.WishOf(r.Text) == campaign.WishOptOut && r.Type == simulator.ReplyText {
			_, obeyed := j.optOuts[r.Phone]
			j.require(obeyed, lost, "the wish to be left alone, in reply %s, is not recorded", r.ID)
		}
	}
	for _, m := range j.ledger.Messages {
		if at, ok := j.optOuts[m.Phone]; ok {
			late := m.At.Sub(at)
			j.require(late <= onItsWay || j.froze(everybody, at, m.At), unearned, "message %s left %s after its contact had opted out", m.Reference, late)
		}
	}
}

// judgeQuota: at most the limit in any interval as long as the window, by the
// provider's own clock.
func (j *judgement) judgeQuota() {
	sent := j.ledger.Messages
	oldest := 0
	for i, m := range sent {
		for m.At.Sub(sent[oldest].At) >= j.plan.quotaWindow {
			oldest++
		}
		j.peak = max(j.peak, i-oldest+1)
		j.require(i-oldest < j.plan.limit, overQuota, "message %s is number %d in %s", m.Reference, i-oldest+1, j.plan.quotaWindow)
	}
}
