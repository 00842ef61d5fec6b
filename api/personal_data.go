package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// personalDataTimeout is how long it may take to read all webhooks that there are.
const personalDataTimeout = time.Minute

// revealing marks a route that is recorded although it only reads: it hands out
// all that is known about a person.
func revealing(op *huma.Operation) { op.Metadata[revealingKey] = true }

const revealingKey = "revealing"

type personalDataOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        store.PersonalData
}

func (a *API) personalData(ctx context.Context, in *ByID) (*personalDataOutput, error) {
	data, err := a.store.PersonalData(ctx, store.Person{ContactID: in.ID})
	if err != nil {
		return nil, err
	}
	return &personalDataOutput{Disposition: `attachment; filename="personal-data-` + in.ID.String() + `.json"`, Body: data}, nil
}

type erasureView struct {
	ContactID   uuid.UUID  `json:"contact_id" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" format:"uuid" doc:"What stands for the person in what is left."`
	ErasedAt    time.Time  `json:"erased_at" example:"2026-06-01T09:00:00Z"`
	CompletedAt *time.Time `json:"completed_at" example:"2026-06-01T09:01:03Z" doc:"When raw webhooks, rejected rows of imports and kept answers had been searched too, about a minute later; null until then."`
}

type erasureOutput struct{ Body erasureView }

// eraseContact may be called again: it then tells how far the erasure is.
func (a *API) eraseContact(ctx context.Context, in *ByID) (*erasureOutput, error) {
	erasure, ended, err := a.store.Erase(ctx, store.Person{ContactID: in.ID})
	a.changedContacts(ctx, err)
	if err != nil {
		return nil, err
	}
	a.wakeStopped(ctx, ended)
	return &erasureOutput{Body: erasureView{
		ContactID: erasure.ContactID, ErasedAt: erasure.ErasedAt.UTC(), CompletedAt: utc(erasure.CompletedAt),
	}}, nil
}
