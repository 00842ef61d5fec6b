package activities

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AnswerGuard knows who is sending a contact's Message 2 just now, as far as can
// be known without asking the database.
type AnswerGuard interface {
	// HoldAnswer marks a contact's Message 2 as being sent. taken: somebody else
	// has marked it; in doubt it is not taken. release takes an own mark away.
	HoldAnswer(ctx context.Context, campaignID, contactID uuid.UUID) (release func(), taken bool)
}

// answerPatience is how long an attempt steps back for another one. It is well
// under the second in which an answer should leave.
const answerPatience = 200 * time.Millisecond

// guardAnswer lets an attempt at Message 2 that meets another one under way step
// back for a moment, once. Then it asks the database, whatever the guard said.
//
// It is worth little: a second attempt that would have found the message claimed,
// and looked it up at the provider, mostly finds it settled instead. That at most
// one Message 2 leaves is decided by [store.Store.Claim] alone (Property 10), so
// a guard that is absent, wrong or slow changes nothing but that.
func (a *Activities) guardAnswer(ctx context.Context, campaignID, contactID uuid.UUID) (release func()) {
	if a.Answers == nil {
		return func() {}
	}
	release, taken := a.Answers.HoldAnswer(ctx, campaignID, contactID)
	if !taken {
		return release
	}
	select {
	case <-ctx.Done(): // the claim will say so
	case <-time.After(answerPatience):
	}
	return release
}
