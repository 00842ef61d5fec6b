package campaign

import (
	"math"
	"slices"
	"sort"
	"time"
)

// rehearsal plays the campaigns of one device on a clock of its own, from one
// moment at which something can happen to the next. Messages that leave
// together stay one batch throughout.
type rehearsal struct {
	rules  Rules
	begins time.Time
	now    time.Duration // since begins, like every moment below

	sent   tally // messages that count against the quota
	silent tally // open windows that will end unanswered

	contenders []*contender
	own        *contender
	outlook    outlook

	rate    float64
	delay   time.Duration
	answers bool // whether a reply after delay is inside its window

	nextMessage1 time.Duration // the earliest that pace allows
	paced        int           // how many Message 1s are one batch under pace

	trace func(moment time.Duration, message MessageType, n int)
}

const never = time.Duration(math.MaxInt64)

func newRehearsal(plan Plan, trace func(time.Duration, MessageType, int)) *rehearsal {
	begins := plan.Start
	if !plan.Now.IsZero() && plan.Now.Before(plan.Start) {
		begins = plan.Now
	}
	starts := plan.Start.Sub(begins)
	r := &rehearsal{
		rules: plan.Rules, begins: begins, trace: trace,
		outlook: outlook{plan: plan, starts: starts},
		rate:    max(0, min(plan.ReplyRate, 1)),
		delay:   max(plan.ReplyDelay, 0),
		paced:   messagesPerBatch(plan.Rules),
	}
	r.answers = InWindow(plan.Start.Add(r.delay), WindowEnd(plan.Start, plan.Rules.ReplyWindow))
	r.own = &contender{waiting: max(plan.Contacts, 0), starts: starts, asks: starts, deadline: starts + plan.Rules.Deadline}
	for _, rival := range plan.Others {
		r.contenders = append(r.contenders, r.rival(rival))
	}
	r.contenders = append(r.contenders, r.load(plan.Load), r.own)
	return r
}

// messagesPerBatch keeps the work bounded under a short pace: Message 1s that
// leave within 10 seconds of the 48 hours are played as one batch.
func messagesPerBatch(rules Rules) int {
	if rules.Pace.None() {
		return math.MaxInt
	}
	return int(max(1, rules.Deadline/17280/rules.gap()))
}

func (r Rules) gap() time.Duration { return max(r.Pace.Mean(), 1) }

func (r *rehearsal) play() Outlook {
	r.settle()
	for !r.own.finished() {
		r.now = r.next()
		r.settle()
	}
	return r.outlook.close()
}

// settle plays all that happens at this moment. Message 2s come first, as they
// do in the queue; admission comes last, so that whoever is refused sees the
// messages which have just left. Who answers at once does so after all that,
// for admitting takes less time than answering.
func (r *rehearsal) settle() {
	for again := true; again; {
		again = false
		r.pass()
		for r.sendMessage2s() || r.sendMessage1s() || r.admit() {
			again = true
		}
	}
}

// pass lets everything end that ends by now.
func (r *rehearsal) pass() {
	r.sent.pass(r.now)
	r.silent.pass(r.now)
	for _, c := range r.contenders {
		c.used.pass(r.now)
		c.owed += c.answering.pass(r.now)
		if r.now >= c.deadline {
			c.waiting, c.admitted = 0, 0
		}
	}
}

// sendMessage2s lets the answers leave that are owed, as far as the quota goes.
func (r *rehearsal) sendMessage2s() bool {
	n := r.mayLeave(r.usage().Owed)
	if n == 0 {
		return false
	}
	owed := make([]Claimant, len(r.contenders))
	for i, c := range r.contenders {
		owed[i].Waiting = c.owed
	}
	for i, share := range FairShares(n, owed) {
		r.message2Left(r.contenders[i], share)
	}
	return true
}

// sendMessage1s lets those leave who are admitted, as far as hours, pace and
// quota go. Campaigns take turns.
func (r *rehearsal) sendMessage1s() bool {
	n := r.usage().Admitted
	if n == 0 || r.now < r.nextMessage1 || !r.rules.Hours.Open(r.clock()) {
		return false
	}
	if n = r.mayLeave(min(n, r.paced, r.paceable())); n == 0 {
		return false
	}
	turns := make([]Claimant, len(r.contenders))
	for i, c := range r.contenders {
		turns[i] = Claimant{Used: c.used.total, Waiting: c.admitted}
	}
	for i, share := range FairShares(n, turns) {
		r.message1Left(r.contenders[i], share)
	}
	if !r.rules.Pace.None() {
		r.nextMessage1 = r.now + time.Duration(n)*r.rules.gap()
	}
	return true
}

// paceable is how many Message 1s can leave at the given pace before the hours
// close or the campaign's deadline comes; the first leaves now.
func (r *rehearsal) paceable() int {
	if r.rules.Pace.None() {
		return math.MaxInt
	}
	left := r.rules.Hours.UntilClose(r.clock())
	if r.now < r.own.deadline {
		left = min(left, r.own.deadline-r.now)
	}
	return int((left-1)/r.rules.gap()) + 1
}

// mayLeave is how many of n messages may leave now.
func (r *rehearsal) mayLeave(n int) int {
	return sort.Search(n, func(k int) bool { return !r.rules.Quota.MayLeave(Usage{Sent: r.sent.total + k}) })
}

// admit answers those who ask for admission now. Each takes its share at once;
// whoever then still waits is refused and told when to ask again.
func (r *rehearsal) admit() bool {
	asking := func(c *contender) bool { return c.waiting > 0 && c.asks <= r.now }
	if !slices.ContainsFunc(r.contenders, asking) || !r.rules.Hours.Open(r.clock()) {
		return false
	}
	shares, granted := r.shares(), false
	for i, c := range r.contenders {
		if asking(c) && shares[i] > 0 {
			c.admitted, c.waiting = c.admitted+shares[i], c.waiting-shares[i]
			granted = true
		}
	}
	if granted {
		return true
	}
	// However short the quota's window is, asking a million times must be enough.
	wait := max(r.rules.Quota.AskAgain(r.untilRoom()), r.rules.Deadline/1e6, 1)
	for _, c := range r.contenders {
		if asking(c) {
			c.asks = r.now + wait
		}
	}
	return false
}

func (r *rehearsal) shares() []int {
	claimants := make([]Claimant, len(r.contenders))
	for i, c := range r.contenders {
		claimants[i].Used = c.used.total + c.admitted
		if r.now >= c.starts {
			claimants[i].Waiting = c.waiting
		}
	}
	return FairShares(r.rules.Quota.Admittable(r.usage()), claimants)
}

func (r *rehearsal) usage() Usage {
	u := Usage{Sent: r.sent.total, Open: r.silent.total}
	for _, c := range r.contenders {
		u.Admitted += c.admitted
		u.Owed += c.owed
		u.Open += c.answering.total
	}
	return u
}

// untilRoom is how long it takes until the first thing that counts stops
// counting; 0 when nothing will by itself. A window that will be answered has
// an end too, for whoever does not know of the answer.
func (r *rehearsal) untilRoom() time.Duration {
	soonest := min(r.sent.next(), r.silent.next())
	for _, c := range r.contenders {
		if reply := c.answering.next(); reply != never {
			soonest = min(soonest, reply-r.delay+r.rules.ReplyWindow)
		}
	}
	if soonest == never {
		return 0
	}
	return soonest - r.now
}

// next is the next moment at which something can happen.
func (r *rehearsal) next() time.Duration {
	next := r.own.deadline
	if r.now >= next {
		next = never
	}
	for _, c := range r.contenders {
		next = min(next, c.answering.next())
		if c.waiting > 0 {
			next = min(next, r.opening(max(c.asks, r.now)))
		}
	}
	u := r.usage()
	room := r.mayLeave(1) > 0
	switch {
	case u.Owed > 0, u.Admitted > 0 && !room:
		next = min(next, r.sent.next())
	case u.Admitted > 0:
		next = min(next, r.opening(max(r.nextMessage1, r.now)))
	}
	return next
}

// opening is the first moment from the given one on at which hours are open.
func (r *rehearsal) opening(moment time.Duration) time.Duration {
	return moment + r.rules.Hours.UntilOpen(r.begins.Add(moment))
}

func (r *rehearsal) clock() time.Time { return r.begins.Add(r.now) }
