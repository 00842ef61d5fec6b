package campaign

import "time"

// Plan is a campaign that may be launched, and what it will share the device's
// quota with.
type Plan struct {
	// Rules the device sends under; Rules.Validate must accept them.
	Rules Rules
	// Start is when the campaign is launched and its deadline begins to run.
	Start time.Time
	// Now is when Load and Others were counted, if Start is later; otherwise it
	// may be left zero.
	Now time.Time
	// Contacts are the recipients of Message 1.
	Contacts int
	// ReplyRate is the share (0 to 1) of contacts who are expected to answer.
	ReplyRate float64
	// ReplyDelay is how long after Message 1 they answer, on average.
	ReplyDelay time.Duration
	// Load is what counts against the quota already.
	Load Load
	// Others are the other campaigns that run on the device and have recipients
	// who wait for admission, in the order in which [FairShares] is given them.
	// The campaign itself comes after them.
	Others []Rival
}

// Load is the present [Usage] of a device's quota, of all campaigns together,
// with the moments at which it ends.
type Load struct {
	// SentExpire has, for each message that counts, the moment at which it stops.
	SentExpire []time.Time
	// OpenUntil has the end of each open, unanswered reply window. These windows
	// are taken to end unanswered: who answers mostly does so soon.
	OpenUntil []time.Time
	// Owed and Admitted are as in [Usage].
	Owed, Admitted int
}

// Rival is another campaign that competes for the quota. Its contacts are taken
// to answer as those of the plan.
type Rival struct {
	Claimant
	// Expire has the moments at which those of Used that were sent stop counting
	// as used; they are also part of Load.SentExpire. What it lacks is admitted
	// and about to leave, so that it counts for one window from now.
	Expire []time.Time
	// Deadline is when it stops competing; zero: never.
	Deadline time.Time
}

// Outlook is how a campaign will run, if nothing fails, nobody pauses it and no
// other is launched.
type Outlook struct {
	Contacts int
	// Message1 and Message2 are how many will leave. Message 2s that leave after
	// the deadline, to contacts whose own window reaches beyond it, are included.
	Message1, Message2 int
	// NotReached contacts cannot be sent Message 1 before the deadline.
	NotReached int
	// FirstMessage1At and LastMessage1At are nil when no Message 1 will leave.
	FirstMessage1At, LastMessage1At *time.Time
	// CompletesAt is when every contact is final, at the latest the deadline. It
	// is never nil.
	CompletesAt *time.Time
	// Hours are the sends per hour, in order; hours in which nothing leaves are
	// left out.
	Hours []HourCount
}

// HourCount is what leaves within an hour. Where a deadline shorter than 48
// hours stands for two days, a 48th of it stands for the hour.
type HourCount struct {
	// At is the start of the hour, counted from the start of the campaign.
	At time.Time
	// Message1 and Message2 are how many of the campaign's messages leave in it.
	Message1, Message2 int
}

// Forecast tells, before anything is sent, how a campaign will run under the
// quota (Properties 5, 6 and 13). It plays the campaign with the arithmetic
// that admits, [Quota.Admittable], [FairShares] and [Quota.AskAgain], and with
// sending hours and pace.
//
// What it leaves out is the time that sending itself takes and the chance in
// replies and pauses: those are exactly the given rate, rounded to a whole
// contact over the campaign, the given delay, and the mean pause.
//
// The work grows with the rounds in which the quota lets messages go, not with
// the number of contacts.
func Forecast(plan Plan) Outlook { return newRehearsal(plan, nil).play() }

// Hour is the length of a [HourCount].
func (r Rules) Hour() time.Duration { return max(min(time.Hour, r.Deadline/48), 1) }

// outlook gathers an [Outlook] from what a rehearsal tells; moments count from
// the rehearsal's beginning.
type outlook struct {
	plan   Plan
	starts time.Duration
	// final is when the last contact so far is, or will be, final.
	final time.Duration
	Outlook
}

// at is the moment as people read it.
func (o *outlook) at(moment time.Duration) time.Time { return o.plan.Start.Add(moment - o.starts) }

func (o *outlook) message1Left(moment time.Duration, n int) {
	o.Message1 += n
	at := o.at(moment)
	o.LastMessage1At = &at
	if o.FirstMessage1At == nil {
		o.FirstMessage1At = &at
	}
	o.hour(moment).Message1 += n
}

func (o *outlook) message2Left(moment time.Duration, n int) {
	o.Message2 += n
	o.hour(moment).Message2 += n
	o.finalBy(moment)
}

func (o *outlook) finalBy(moment time.Duration) { o.final = max(o.final, moment) }

// hour is the count of the hour in which the moment lies.
func (o *outlook) hour(moment time.Duration) *HourCount {
	length := o.plan.Rules.Hour()
	starts := o.at(o.starts + (moment-o.starts)/length*length)
	if n := len(o.Hours); n == 0 || !o.Hours[n-1].At.Equal(starts) {
		o.Hours = append(o.Hours, HourCount{At: starts})
	}
	return &o.Hours[len(o.Hours)-1]
}

// close tells how it all ends.
func (o *outlook) close() Outlook {
	o.Contacts = max(o.plan.Contacts, 0)
	o.NotReached = o.Contacts - o.Message1
	completes := o.at(max(o.final, o.starts))
	if deadline := o.plan.Start.Add(o.plan.Rules.Deadline); o.NotReached > 0 || completes.After(deadline) {
		completes = deadline
	}
	o.CompletesAt = &completes
	return o.Outlook
}
