package proof

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// violation is a rule of the model that was broken.
type violation struct {
	rule    string // the same words whenever it is broken
	contact int    // -1 when it is about the campaign as a whole
	detail  string
}

// judge holds what Relance did, and recorded, against the model.
func judge(p past, b books) []violation {
	j := &judgement{past: p, books: b}
	for i := range p.contacts {
		j.judgeMessages(i)
		j.judgeMessage2(i)
		j.judgeRecords(i)
	}
	j.judgeQuota()
	j.judgeLaunch()
	j.judgeWaiting()
	j.judgeCompletion()
	j.require(b.activities < circling, -1, "nothing goes round in circles", "%d activities", b.activities)
	j.judgeTotals()
	return j.violations
}

// circling is more than any campaign here needs: 50 contacts who are held up by a
// pause ask every ten minutes for two days.
const circling = 20_000

type judgement struct {
	past
	books
	violations []violation
}

func (j *judgement) require(holds bool, contact int, rule, format string, args ...any) {
	if !holds {
		j.violations = append(j.violations, violation{rule, contact, fmt.Sprintf(format, args...)})
	}
}

// judgeMessages: each message at most once, in at most four requests; Message 1
// only when it may leave (Properties 4, 10 and 13).
func (j *judgement) judgeMessages(i int) {
	c := j.contacts[i]
	stop, why := j.stopped(c)
	for message, name := range nameOf {
		n := 0
		for _, r := range c.requests[message] {
			if r.did == accepted {
				n++
			}
			j.require(r.at < stop, i, "nothing is sent to a contact who is stopped", "%s at %v, %s at %v", name, r.at, why, stop)
		}
		j.require(n <= 1, i, "a message leaves at most once", "%s left %d times", name, n)
		j.require(len(c.requests[message]) <= 4, i, "at most four requests for a message", "%s: %d", name, len(c.requests[message]))
	}
	for _, r := range c.requests[message1] {
		j.require(r.at < j.past.deadline, i, "no Message 1 after the deadline", "at %v", r.at)
		j.require(!j.closed(r.at), i, "no Message 1 outside sending hours", "at %v", r.at)
		for _, s := range j.pauses {
			j.require(!s.holds(r.at), i, "no Message 1 while paused", "at %v, paused from %v to %v", r.at, s.from, s.to)
		}
	}
}

// judgeMessage2: exactly those who earned it, and promptly (Properties 6, 8 and 10).
func (j *judgement) judgeMessage2(i int) {
	c, e := j.contacts[i], j.entries[i]
	r, earned := j.earned(c, e)
	if !earned {
		j.require(len(c.requests[message2]) == 0, i, "Message 2 only for a reply inside the window", "the window ends at %v", j.windowEnds(e))
		return
	}
	left := c.left(message2)
	_, undone := c.undone(message2)
	stop, _ := j.stopped(c)
	j.require(left < never || undone != "" || stop < never, i, "a reply inside the window earns Message 2", "%s at %v", r.key, r.at)
	if left == never || !j.well(c, span{r.at, left}) {
		return
	}
	patience, since := 5*time.Second, r.at
	if r.wakeLost { // found at the end of the window
		since = j.windowEnds(e)
	}
	if j.reserve < 1 { // nothing keeps room for all answers
		patience = j.quotaWindow + 5*time.Minute
	}
	j.require(left > r.at, i, "Message 2 answers a reply", "reply at %v, Message 2 at %v", r.at, left)
	j.require(left <= since+patience, i, "Message 2 leaves within seconds of the reply", "reply at %v, Message 2 at %v", r.at, left)
}

// judgeRecords: the final state, what was sent, and every reply once
// (Properties 4, 7, 9 and 11).
func (j *judgement) judgeRecords(i int) {
	c, e := j.contacts[i], j.entries[i]
	for message, name := range nameOf {
		left, recorded := c.left(message), e.sent[message]
		agree := left == never && recorded == never || left < never && recorded < never && (recorded-left).Abs() < time.Millisecond
		j.require(agree, i, "the books agree with the provider on what left", "%s left at %v, recorded %v", name, spoken(left), spoken(recorded))
	}
	_, earned := j.earned(c, e)
	wanted := [2]int{1, count(earned)}
	if c.bounced[message1] < never { // its answer is owed until somebody looks whether it is stopped
		wanted[message2] = min(e.rows[message2], 1)
	}
	j.require(e.rows == wanted, i, "a Message 1 exists for everybody, a Message 2 for who earned it", "%v, should be %v", e.rows, wanted)
	state, reason := j.final(c, e)
	j.require(e.finished < never, i, "everybody is final after 72 hours", "%s, should be %s", e.state, state)
	j.require(e.state == state, i, "the final state is the true one", "%s (%s), should be %s (%s)", e.state, e.reason, state, reason)
	// Stopped twice over while a message was in doubt: either reason is true.
	either := c.optedOut < never && j.cancelled < never && (e.reason == "opted_out" || e.reason == "cancelled")
	j.require(e.reason == reason || either && e.state == state, i, "the reason is the true one", "%s (%s), should be %s (%s)", e.state, e.reason, state, reason)

	var due []interaction
	for _, r := range c.replies {
		if r.at > c.left(message1) {
			due = append(due, interaction{r.key, r.kind, r.at, r.at < j.windowEnds(e)})
		}
	}
	j.require(slices.Equal(due, e.interactions), i, "every reply to a message is recorded once, and rightly", "recorded %v, should be %v", e.interactions, due)
}

// judgeQuota: never more than the limit in any interval, nor two Message 1s
// closer than the pacing allows (Property 5).
func (j *judgement) judgeQuota() {
	last := -time.Hour
	for _, l := range j.leavings() {
		used := j.usedQuota(l.at)
		j.require(used <= j.limit, l.contact, "never more than the limit in one window of the quota", "%s at %v is number %d of %d", nameOf[l.message], l.at, used, j.limit)
		if l.message == message1 {
			j.require(j.gap == 0 || l.at-last > j.gap-time.Millisecond, l.contact, "Message 1s keep their distance", "%v after the one before", l.at-last)
			last = l.at
		}
	}
}

type leaving struct {
	at      time.Duration
	contact int
	message int
}

func (j *judgement) leavings() (all []leaving) {
	for i, c := range j.contacts {
		for message := range nameOf {
			if left := c.left(message); left < never {
				all = append(all, leaving{left, i, message})
			}
		}
	}
	slices.SortFunc(all, func(a, b leaving) int { return cmp.Compare(a.at, b.at) })
	return all
}

// judgeLaunch: whoever has room at the launch is sent Message 1 at once (Property 4).
func (j *judgement) judgeLaunch() {
	const atOnce = time.Minute
	begin := span{0, atOnce}
	for _, hindrance := range slices.Concat(j.pauses, j.outages) {
		if hindrance.from < begin.to {
			return
		}
	}
	if j.gap > 0 || j.closed(0) || j.closed(atOnce) || j.cancelled < atOnce {
		return
	}
	tried, willing, room := 0, 0, j.launchRoom()
	for _, c := range j.contacts {
		if c.optedOut > atOnce {
			willing++
		} else if len(c.requests[message1]) == 0 {
			room-- // the place was kept, and is given to another later
		}
		if len(c.requests[message1]) > 0 && c.requests[message1][0].at < atOnce {
			tried++
		}
		if j.reserve < 1 && c.left(message2) < atOnce {
			room-- // nothing was kept for the answer
		}
	}
	j.require(tried >= min(willing, room), -1, "Message 1s leave at the launch as far as there is room", "%d of %d, with room for %d", tried, willing, room)
}

// judgeWaiting: nobody is left out for whom there was room for hours on end.
// Relance asks for room at least every 70 minutes.
func (j *judgement) judgeWaiting() {
	const step, patience = 10 * time.Minute, 3 * time.Hour
	if j.gap > 0 || !slices.ContainsFunc(j.entries, func(e entry) bool { return e.reason == "deadline" }) {
		return
	}
	since := time.Duration(0)
	for at := time.Duration(1); at < min(j.past.deadline, j.cancelled); at += step {
		if !j.room(j.books, at) {
			since = at
		}
		if at-since > patience {
			j.require(false, -1, "nobody is left out while there is room", "there was room from %v to %v", since, at)
			return
		}
	}
}

// judgeCompletion: the campaign is completed when all are final, at 48 hours at
// the latest (Properties 11 and 13).
func (j *judgement) judgeCompletion() {
	const soon = 5 * time.Second
	if j.cancelled < never {
		j.require(j.status == "cancelled", -1, "a cancelled campaign stays cancelled", "%s", j.status)
		return
	}
	j.require(j.status == "completed", -1, "the campaign is completed", "%s", j.status)
	j.require(j.completed <= j.past.deadline+soon, -1, "the campaign is completed after 48 hours at the latest", "%v", spoken(j.completed))
	last, uncertain := time.Duration(0), false
	for i, e := range j.entries {
		bounced := j.contacts[i].bounced[message1] < never
		if !bounced { // one who bounced was final, and may have answered later
			last = max(last, e.finished)
		}
		// Who opts out while waiting for room is noticed when there is room again.
		uncertain = uncertain || bounced || len(j.contacts[i].requests[message1]) == 0
	}
	if last < j.past.deadline && !uncertain {
		j.require(j.completed <= last+time.Minute, -1, "the campaign is completed when all are final", "all were final at %v, completed at %v", last, j.completed)
	}
	if last > j.completed {
		j.require(j.completed >= j.past.deadline, -1, "the campaign is not completed before all are final", "completed at %v, the last one was final at %v", j.completed, last)
	}
}

// judgeTotals: the stored totals are the counted truth (Property 12).
func (j *judgement) judgeTotals() {
	var sent, delivered, read, failed, said int
	for i, c := range j.contacts {
		for message := range nameOf {
			sent += count(c.left(message) < never)
			delivered += count(c.acks[message].delivered || c.acks[message].read)
			read += count(c.acks[message].read)
			_, undone := c.undone(message)
			failed += count(undone != "" && c.left(message) == never || c.bounced[message] < never)
		}
		said += len(j.entries[i].interactions)
	}
	j.require(j.stale == "", -1, "the stored totals follow what happens after the end", "%s", j.stale)
	counted := [...]int{sent, delivered, read, failed, said}
	stored := [...]int{j.sent, j.delivered, j.read, j.failed, j.said}
	j.require(counted == stored, -1, "the stored totals are the counted truth", "sent, delivered, read, failed, interactions: stored %v, counted %v", stored, counted)
}

func count(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

func spoken(at time.Duration) string {
	if at == never {
		return "never"
	}
	return at.String()
}
