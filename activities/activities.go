// Package activities is what the workflows ask of the world: each activity asks
// the store for a decision, and where one says so, the provider for an act.
//
// All of them may run again after a crash or a timeout, also while an earlier
// attempt is still running: what must happen once is decided by the store.
package activities

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// Activities holds what the activities depend on. Its zero value serves
// workflow code as typed references.
type Activities struct {
	Store    *store.Store
	Provider *wassenger.Client
	Breaker  *Breaker
	// SendTimeout is the longest that one request to the provider can take. An
	// older claim's request has surely ended.
	SendTimeout time.Duration
	Workflows   Waker
	Webhooks    *intake.Intake
	Answers     AnswerGuard // nil guards nothing
	Metrics     *Metrics    // nil counts nothing
	// Ahead: messages are sent before their contacts' workflows ask for them. Without
	// it everything works the same, and slower.
	Ahead bool
}

// Waker makes a recipient's workflow look at the database again.
type Waker interface {
	Wake(ctx context.Context, campaignID, contactID uuid.UUID) error
	// Revive starts the workflow anew where it is gone.
	Revive(ctx context.Context, campaignID, contactID uuid.UUID) error
}
