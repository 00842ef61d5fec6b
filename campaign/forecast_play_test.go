package campaign

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The same campaigns played as the database plays them, message by message and
// wave by wave, from lists instead of tallies.
func TestForecastIsWhatAPlayMessageByMessageGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlans(t)
		someRivals(t, &plan)
		wave := rapid.IntRange(1, 20).Draw(t, "wave")
		want, got := newPlay(plan, wave).run(), Forecast(plan)
		got.Hours = nil // their sums are what counts add up to
		require.Equal(t, want, got)
	})
}

// play is the reference: one person per recipient, everything counted anew for
// every single decision.
type play struct {
	Plan
	wave      int
	now, open time.Time // open: when pace allows the next Message 1
	sent      []time.Time
	windows   []time.Time
	people    []*person
	asks      []time.Time // by campaign: rivals, what was there already, our own
	turns     []Claimant  // with the Message 2s that each has had in this moment
	outlook   Outlook
}

type person struct {
	campaign       int
	state          RecipientState
	answers        bool
	sentAt, window time.Time
}

func newPlay(plan Plan, wave int) *play {
	p := &play{Plan: plan, wave: wave, now: plan.Start, asks: make([]time.Time, len(plan.Others)+2)}
	if !plan.Now.IsZero() {
		p.now = plan.Now
	}
	p.asks[p.own()] = plan.Start
	for _, expires := range plan.Load.SentExpire {
		p.sent = append(p.sent, expires.Add(-plan.Rules.Quota.Window))
	}
	p.windows = plan.Load.OpenUntil
	add := func(campaign, n int, state RecipientState) {
		for range n {
			p.people = append(p.people, &person{campaign: campaign, state: state})
		}
	}
	for i, rival := range plan.Others {
		add(i, rival.Waiting, Pending)
	}
	add(len(plan.Others), plan.Load.Admitted, Admitted)
	add(len(plan.Others), plan.Load.Owed, Replied)
	add(p.own(), plan.Contacts, Pending)
	p.outlook.Contacts = plan.Contacts
	return p
}

func (p *play) own() int { return len(p.Others) + 1 }

func (p *play) deadline(campaign int) time.Time {
	switch {
	case campaign == p.own():
		return p.Start.Add(p.Rules.Deadline)
	case campaign < len(p.Others) && !p.Others[campaign].Deadline.IsZero():
		return p.Others[campaign].Deadline
	}
	return p.Start.Add(1000 * time.Hour)
}

func (p *play) in(campaign int, state RecipientState) (who []*person) {
	for _, one := range p.people {
		if one.campaign == campaign && one.state == state {
			who = append(who, one)
		}
	}
	return who
}

func (p *play) usage() (u Usage) {
	for _, at := range p.sent {
		if at.After(p.now.Add(-p.Rules.Quota.Window)) {
			u.Sent++
		}
	}
	for _, ends := range p.windows {
		if InWindow(p.now, ends) {
			u.Open++
		}
	}
	for _, one := range p.people {
		switch {
		case one.state == Admitted:
			u.Admitted++
		case one.state == Replied:
			u.Owed++
		case one.state == Message1Sent && InWindow(p.now, one.window):
			u.Open++
		}
	}
	return u
}

// claimants are the campaigns with recipients in the state waiting. Used are
// their Message 1s of the window and their recipients in the state counted.
func (p *play) claimants(counted, waiting RecipientState) []Claimant {
	all := make([]Claimant, len(p.asks))
	since := p.now.Add(-p.Rules.Quota.Window)
	for i, rival := range p.Others {
		for _, expires := range rival.Expire {
			if expires.After(p.now) {
				all[i].Used++
			}
		}
	}
	for _, one := range p.people {
		c := &all[one.campaign]
		if one.state == waiting && (one.campaign != p.own() || !p.now.Before(p.Start)) {
			c.Waiting++
		}
		if one.state == counted || one.sentAt.After(since) {
			c.Used++
		}
	}
	return all
}

func (p *play) run() Outlook {
	for {
		p.settle()
		if slices.IndexFunc(p.people, func(one *person) bool {
			return one.campaign == p.own() && (!one.state.Final() && (one.state != Message1Sent || one.answers))
		}) < 0 {
			return p.close()
		}
		p.now = p.nextMoment()
	}
}

// settle plays this moment. Who answers at once does so after everyone who can
// be admitted now has been.
func (p *play) settle() {
	for again := true; again; {
		again = p.timePasses()
		p.turns = make([]Claimant, len(p.asks))
		for p.message2() || p.message1() || p.admitWaves() {
			again = true
		}
	}
}

func (p *play) timePasses() (changed bool) {
	for _, one := range p.people {
		late := !p.now.Before(p.deadline(one.campaign))
		if one.state == Message1Sent && one.answers && !p.now.Before(one.sentAt.Add(p.ReplyDelay)) {
			one.state, changed = Replied, true
		}
		if late && (one.state == Pending || one.state == Admitted) {
			one.state = NotSent
		}
	}
	return changed
}

func (p *play) message2() bool {
	if !p.Rules.Quota.MayLeave(Usage{Sent: p.usage().Sent}) {
		return false
	}
	for i := range p.turns {
		p.turns[i].Waiting = len(p.in(i, Replied))
	}
	campaign := slices.Index(FairShares(1, p.turns), 1)
	if campaign < 0 {
		return false
	}
	one := p.in(campaign, Replied)[0]
	one.state = Message2Sent
	p.turns[campaign].Used++
	p.sent = append(p.sent, p.now)
	if campaign == p.own() {
		p.outlook.Message2++
		p.finalBy(p.now)
	}
	return true
}

func (p *play) message1() bool {
	if p.now.Before(p.open) || !p.Rules.Hours.Open(p.now) || !p.Rules.Quota.MayLeave(Usage{Sent: p.usage().Sent}) {
		return false
	}
	campaign := slices.Index(FairShares(1, p.claimants("", Admitted)), 1)
	if campaign < 0 {
		return false
	}
	one := p.in(campaign, Admitted)[0]
	before := 0
	for _, other := range p.people {
		if other.campaign == campaign && !other.sentAt.IsZero() {
			before++
		}
	}
	one.state, one.sentAt, one.window = Message1Sent, p.now, WindowEnd(p.now, p.Rules.ReplyWindow)
	one.answers = math.Round(p.ReplyRate*float64(before+1)) > math.Round(p.ReplyRate*float64(before)) &&
		InWindow(p.now.Add(p.ReplyDelay), one.window)
	p.sent = append(p.sent, p.now)
	p.open = p.now.Add(p.Rules.Pace.Mean())
	if campaign == p.own() {
		at := p.now
		p.outlook.Message1++
		p.outlook.LastMessage1At = &at
		if p.outlook.FirstMessage1At == nil {
			p.outlook.FirstMessage1At = &at
		}
		if !one.answers {
			p.finalBy(one.window)
		}
	}
	return true
}

// admitWaves lets every campaign that asks take one wave, or refuses them.
func (p *play) admitWaves() bool {
	if !p.Rules.Hours.Open(p.now) {
		return false
	}
	granted := false
	var refused []int
	for campaign := range p.asks {
		waiting := p.in(campaign, Pending)
		if len(waiting) == 0 || p.asks[campaign].After(p.now) {
			continue
		}
		shares := FairShares(p.Rules.Quota.Admittable(p.usage()), p.claimants(Admitted, Pending))
		n := min(p.wave, shares[campaign])
		for _, one := range waiting[:n] {
			one.state, granted = Admitted, true
		}
		if n == 0 {
			refused = append(refused, campaign)
		}
	}
	for _, campaign := range refused {
		if !granted {
			p.asks[campaign] = p.now.Add(p.Rules.Quota.AskAgain(p.untilRoom()))
		}
	}
	return granted
}

// moments are all at which something stops counting.
func (p *play) moments() (all []time.Time) {
	for _, at := range p.sent {
		all = append(all, at.Add(p.Rules.Quota.Window))
	}
	all = append(all, p.windows...)
	for _, one := range p.people {
		if one.state == Message1Sent {
			all = append(all, one.window)
		}
	}
	return all
}

func (p *play) soonest(moments []time.Time) (soonest time.Time) {
	for _, at := range moments {
		if at.After(p.now) && (soonest.IsZero() || at.Before(soonest)) {
			soonest = at
		}
	}
	return soonest
}

func (p *play) untilRoom() time.Duration {
	if soonest := p.soonest(p.moments()); !soonest.IsZero() {
		return soonest.Sub(p.now)
	}
	return 0
}

func (p *play) nextMoment() time.Time {
	moments := append(p.moments(), p.open, p.now.Add(p.Rules.Hours.UntilOpen(p.now)))
	moments = append(moments, p.asks...)
	for campaign := range p.asks {
		moments = append(moments, p.deadline(campaign))
	}
	for _, one := range p.people {
		if one.state == Message1Sent && one.answers {
			moments = append(moments, one.sentAt.Add(p.ReplyDelay))
		}
	}
	return p.soonest(moments)
}

func (p *play) finalBy(at time.Time) {
	if p.outlook.CompletesAt == nil || at.After(*p.outlook.CompletesAt) {
		p.outlook.CompletesAt = &at
	}
}

func (p *play) close() Outlook {
	o := p.outlook
	o.NotReached = o.Contacts - o.Message1
	if o.CompletesAt == nil {
		o.CompletesAt = &p.Start
	}
	if deadline := p.deadline(p.own()); o.NotReached > 0 || o.CompletesAt.After(deadline) {
		o.CompletesAt = &deadline
	}
	return o
}
