package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/relance/relance/wassenger/simulator"
)

// plan is everything that a run does on purpose: how large it is, what contacts
// say and when, and what is broken when. It follows from the seed and the length
// alone. What the processes make of it is up to them and the machine.
type plan struct {
	seed   uint64
	length time.Duration // how long things are broken; what follows is healing

	limit       int // messages in any quotaWindow
	quotaWindow time.Duration
	replyWindow time.Duration
	reserve     float64 // REPLY_RESERVE: with less than 1, answers have to wait for the quota
	ahead       bool    // SEND_AHEAD

	campaigns []campaignPlan
	behaviour simulator.Behaviour
	delivery  simulator.Delivery
	unknown   []string // numbers that are not on WhatsApp
	edges     map[string][]edge
	acts      []act
}

// campaignPlan is one campaign: when it is started and whom it is for.
type campaignPlan struct {
	name     string
	startsAt time.Duration
	from, to int // contacts, by their number; to is not one of them
	texts    [2]string
}

// edge is a reply around the end of the window that a contact's first message
// opened.
type edge struct {
	After time.Duration       `json:"after"` // the window's end; most often negative or next to nothing
	Type  simulator.ReplyType `json:"type"`
	Text  string              `json:"text,omitempty"`
	Quote bool                `json:"quote,omitempty"`
}

const (
	// sendSettle is SEND_SETTLE. No link delays anything by as much, and no look-up
	// lags by as much, or messages might be doubled (docs/guarantees.md).
	sendSettle  = 2 * time.Second
	sendBackoff = 200 * time.Millisecond
	// providerTimeout is Relance's own.
	providerTimeout = 10 * time.Second
	// deadline ends a campaign that chaos has not let come to its own end.
	deadline = 15 * time.Minute
)

func newPlan(seed uint64, length time.Duration) plan {
	d := throw(seed, "rules")
	p := plan{
		seed: seed, length: length,
		limit:       d.between(30, 100),
		quotaWindow: d.span(8*time.Second, 16*time.Second),
		replyWindow: d.span(8*time.Second, 16*time.Second),
		reserve:     pick(d, []float64{1, 1, 0.5, 0.2}),
		ahead:       d.chance(0.75),
	}
	p.drawContacts()
	p.drawCampaigns()
	p.drawEdges()
	p.drawActs()
	return p
}

// drawContacts decides how contacts behave and how webhooks travel.
func (p *plan) drawContacts() {
	d := throw(p.seed, "contacts")
	types := map[simulator.ReplyType]float64{}
	for _, kind := range simulator.ReplyTypes {
		types[kind] = 1
	}
	p.behaviour = simulator.Behaviour{
		Undelivered: 0.04,
		// Some acknowledgements come only when the window is about to end.
		DeliveryDelay: simulator.Delay{Max: p.replyWindow, Exponential: true},
		Read:          0.8, ReadDelay: simulator.Delay{Max: 2 * time.Second},
		Reply: 0.4 + 0.4*d.Float64(), ReplyDelay: simulator.Delay{Max: p.replyWindow * 9 / 8}, ReplyTypes: types,
		ReplyAgain: 0.2, ExtraReplies: 0.4, ExtraDelay: simulator.Delay{Max: 2 * time.Second}, Quote: 0.5,
		OptOut: 0.05,
	}
	p.delivery = simulator.Delivery{
		Duplicate: 0.2, Reorder: 0.2, ReorderDelay: simulator.Delay{Min: 50 * time.Millisecond, Max: 2 * time.Second}, AckBeforeResponse: 0.15,
		RetryBase: 200 * time.Millisecond, RetryMax: 3 * time.Second,
	}
}

// drawCampaigns divides among some campaigns as many contacts as the quota lets
// through in about the time that things are broken, so that it is full for most of
// it. Some contacts are in two campaigns.
func (p *plan) drawCampaigns() {
	d := throw(p.seed, "campaigns")
	// In the long run each contact takes a place for its Message 1 and its possible
	// answer, for as long as the windows last.
	aSecond := float64(p.limit) / (1.6*p.quotaWindow.Seconds() + p.reserve*p.replyWindow.Seconds())
	size := int(0.8 * aSecond * p.length.Seconds())
	n := d.between(2, max(2, min(5, size/25)))
	each := max(size/n, 8)
	for i := range n {
		from := i * each * 9 / 10
		p.campaigns = append(p.campaigns, campaignPlan{
			name: fmt.Sprintf("Campaign %d", i+1), startsAt: d.span(0, p.length*time.Duration(i)/time.Duration(2*n)), from: from, to: from + each,
			texts: [2]string{fmt.Sprintf("Campaign %d says hello to {{name}}", i+1), fmt.Sprintf("Campaign %d thanks {{name}}", i+1)},
		})
	}
	for i := range p.contacts() {
		if throw(p.seed, "unknown "+phoneOf(i)).chance(0.02) {
			p.unknown = append(p.unknown, phoneOf(i))
		}
	}
}

// contacts is how many there are.
func (p *plan) contacts() int { return p.campaigns[len(p.campaigns)-1].to }

// phoneOf gives one of the 10,000 numbers that are reserved for fiction.
func phoneOf(contact int) string { return fmt.Sprintf("+33639%06d", 980000+contact) }

// drawEdges has every fourth contact say something around the end of its window.
func (p *plan) drawEdges() {
	p.edges = map[string][]edge{}
	for i := range p.contacts() {
		d := throw(p.seed, "edge "+phoneOf(i))
		if !d.chance(0.25) {
			continue
		}
		for range d.between(1, 3) {
			e := edge{After: d.span(0, 3*time.Second) - 2*time.Second, Type: pick(d, simulator.ReplyTypes), Quote: d.chance(0.5)}
			if d.chance(0.3) { // as close as it gets
				e.After = d.span(0, 100*time.Millisecond) - 50*time.Millisecond
			}
			if d.chance(0.08) {
				e.Type, e.Text, e.Quote = simulator.ReplyText, "STOP", false
			}
			p.edges[phoneOf(i)] = append(p.edges[phoneOf(i)], e)
		}
		slices.SortFunc(p.edges[phoneOf(i)], func(a, b edge) int { return cmp.Compare(a.After, b.After) })
	}
}
