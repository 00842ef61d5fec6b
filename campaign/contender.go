package campaign

import (
	"math"
	"slices"
	"time"
)

// contender is a campaign as the quota sees it.
type contender struct {
	starts, deadline time.Duration

	waiting   int
	admitted  int
	answering tally // open windows, by the moment at which the reply will come
	owed      int
	used      tally // Message 1s sent, by the moment at which they stop counting

	message1s int           // sent in all
	asks      time.Duration // when it asks for admission next
}

// finished holds when nothing more of the campaign will leave.
func (c *contender) finished() bool {
	return c.waiting == 0 && c.admitted == 0 && c.owed == 0 && c.answering.total == 0
}

func (r *rehearsal) rival(rival Rival) *contender {
	c := &contender{waiting: max(rival.Waiting, 0), deadline: never}
	if !rival.Deadline.IsZero() {
		c.deadline = rival.Deadline.Sub(r.begins)
	}
	r.addMoments(&c.used, rival.Expire)
	c.used.add(r.rules.Quota.Window, rival.Used-len(rival.Expire))
	return c
}

// load counts what is there already. What is owed or admitted belongs to a
// contender that waits for nothing more.
func (r *rehearsal) load(load Load) *contender {
	r.addMoments(&r.sent, load.SentExpire)
	r.addMoments(&r.silent, load.OpenUntil)
	return &contender{admitted: max(load.Admitted, 0), owed: max(load.Owed, 0), deadline: never}
}

func (r *rehearsal) addMoments(t *tally, moments []time.Time) {
	for _, moment := range slices.SortedFunc(slices.Values(moments), time.Time.Compare) {
		t.add(moment.Sub(r.begins), 1)
	}
	t.pass(0)
}

func (r *rehearsal) message1Left(c *contender, n int) {
	if n == 0 {
		return
	}
	answers := r.answersAmong(c.message1s+n) - r.answersAmong(c.message1s)
	c.admitted -= n
	c.message1s += n
	c.used.add(r.now+r.rules.Quota.Window, n)
	c.answering.add(r.now+r.delay, answers)
	r.silent.add(r.now+r.rules.ReplyWindow, n-answers)
	r.left(Message1, n)
	if c != r.own {
		return
	}
	r.outlook.message1Left(r.now, n)
	if answers < n {
		r.outlook.finalBy(r.now + r.rules.ReplyWindow)
	}
}

// answersAmong is how many of the first n contacts answer in time.
func (r *rehearsal) answersAmong(n int) int {
	if !r.answers {
		return 0
	}
	return int(math.Round(r.rate * float64(n)))
}

func (r *rehearsal) message2Left(c *contender, n int) {
	if n == 0 {
		return
	}
	c.owed -= n
	r.left(Message2, n)
	if c == r.own {
		r.outlook.message2Left(r.now, n)
	}
}

func (r *rehearsal) left(message MessageType, n int) {
	r.sent.add(r.now+r.rules.Quota.Window, n)
	if r.trace != nil {
		r.trace(r.now, message, n)
	}
}
