package main

import (
	"slices"

	"github.com/relance/relance/campaign"
)

// judgeRecipients: each contact of each campaign is where it has to be, by what left
// and what was said.
func (j *judgement) judgeRecipients() {
	first, second := map[key]messageRow{}, map[key]messageRow{}
	for _, m := range j.messages {
		if m.kind == campaign.Message1 {
			first[m.key] = m
		} else {
			second[m.key] = m
		}
	}
	for k, r := range j.recipients {
		c := course{judgement: j, recipientRow: r, first: first[k], second: second[k]}
		c.got1, c.got2 = len(j.left[c.first.id]) > 0, len(j.left[c.second.id]) > 0
		_, c.optedOut = j.optOuts[r.phone]
		_, c.cancelled = j.ended[k.campaign]
		for _, i := range r.interaction {
			c.inTime = c.inTime || i.inTime
		}
		c.judge()
	}
}

// course is what has become of one contact of a campaign.
type course struct {
	*judgement
	recipientRow
	first, second    messageRow // the rows; empty where there is none
	got1, got2       bool       // it left
	inTime, optedOut bool
	cancelled        bool // the campaign
}

func (c course) judge() {
	if !c.state.Final() {
		c.require(false, restless, "%s is %s", c.key, c.state)
		return
	}
	switch {
	case !c.got1:
		c.judgeWithout1()
	case c.got2:
		c.require(c.inTime, unearned, "%s got Message 2 and had not replied in time", c.key)
		c.require(c.state == campaign.Message2Sent, inconsistent, "%s got Message 2 and is %s (%s)", c.key, c.state, c.reason)
	case c.inTime:
		c.judgeWithout2()
	default:
		c.judgeUnanswered()
	}
}

// judgeWithout1: whoever got no message has a reason, and a true one.
func (c course) judgeWithout1() {
	c.require(!c.got2, unearned, "%s got Message 2 and not Message 1", c.key)
	c.require(len(c.interaction) == 0, inconsistent, "%s is said to have replied to nothing", c.key)
	why := string(c.state) + ": " + string(c.reason)
	explained := false
	switch c.reason {
	case campaign.ReasonOptedOut:
		explained = c.state == campaign.NotSent && c.optedOut
	case campaign.ReasonCancelled:
		explained = c.state == campaign.NotSent && c.cancelled
	case campaign.ReasonInvalidNumber:
		explained = c.state == campaign.NotSent && slices.Contains(c.plan.unknown, c.phone)
	case campaign.ReasonAttemptsSpent:
		explained = c.state == campaign.Failed && c.first.attempts == campaign.MaxAttempts
	case campaign.ReasonMessage1Unknown:
		explained = c.state == campaign.Failed && c.first.status == campaign.MessageUnknown
	}
	c.require(explained, lost, "%s never got Message 1 and is %s", c.key, why)
	c.honest[why]++
}

// judgeWithout2: whoever replied in time and got no answer has a reason, and a true
// one.
func (c course) judgeWithout2() {
	why := string(c.state) + ": " + string(c.reason)
	explained := false
	switch c.reason {
	case campaign.ReasonOptedOut:
		explained = c.state == campaign.Stopped && c.optedOut
	case campaign.ReasonCancelled:
		explained = c.state == campaign.Stopped && c.cancelled
	case campaign.ReasonAttemptsSpent:
		explained = c.state == campaign.Failed && c.second.attempts == campaign.MaxAttempts
	case campaign.ReasonMessage2Unknown:
		explained = c.state == campaign.Failed && c.second.status == campaign.MessageUnknown
	}
	c.require(explained, unanswered, "%s replied in time, got no Message 2, and is %s", c.key, why)
	c.honest[why]++
}

// judgeUnanswered: whoever got Message 1 and did not reply in time.
func (c course) judgeUnanswered() {
	expected := campaign.NoInteraction
	if len(c.interaction) > 0 {
		expected = campaign.LateInteraction
	}
	holds := c.state == expected ||
		c.optedOut && c.state == campaign.Stopped && c.reason == campaign.ReasonOptedOut ||
		c.cancelled && c.state == campaign.Stopped && c.reason == campaign.ReasonCancelled ||
		// Told before the window ended. Who replies late after that has failed all the same.
		c.bounced[c.key] && c.state == campaign.Failed && c.reason == campaign.ReasonUndelivered ||
		c.first.status == campaign.MessageUnknown && c.state == campaign.Failed && c.reason == campaign.ReasonMessage1Unknown
	c.require(holds, inconsistent, "%s got Message 1, did not reply in time, and is %s (%s) instead of %s", c.key, c.state, c.reason, expected)
}
