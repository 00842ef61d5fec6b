package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

type tokenView struct {
	ID         uuid.UUID  `json:"id" example:"0197d2c1-6f3b-7c80-9d21-a0b1c2d3e4f5" format:"uuid"`
	Name       string     `json:"name" example:"Shop" doc:"What it is for."`
	CreatedAt  time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	LastUsedAt *time.Time `json:"last_used_at" example:"2026-06-01T09:00:00Z" doc:"To the minute."`
}

func viewToken(t store.Token) tokenView {
	return tokenView{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC(), LastUsedAt: utc(t.LastUsedAt)}
}

// ofUser is whose tokens are meant: the caller's own, or for a super_admin anybody's.
func ofUser(ctx context.Context, asked uuid.UUID) (uuid.UUID, error) {
	self := caller(ctx)
	if asked == uuid.Nil || asked == self.ID {
		return self.ID, nil
	}
	if self.Role != store.SuperAdmin {
		return uuid.Nil, problem(http.StatusForbidden, "Only a super_admin sees and revokes the tokens of others.")
	}
	return asked, nil
}

type listTokensInput struct {
	Paging
	UserID uuid.UUID `query:"user_id" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid" doc:"Another user's tokens, for a super_admin."`
}

func (a *API) listTokens(ctx context.Context, in *listTokensInput) (*listOutput[tokenView], error) {
	userID, err := ofUser(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Tokens(ctx, userID, page)
	if err != nil {
		return nil, err
	}
	next, err := cursorAfter(found.Next)
	if err != nil {
		return nil, err
	}
	return &listOutput[tokenView]{Body: list[tokenView]{Items: viewAll(found.Tokens, viewToken), NextCursor: next}}, nil
}

type createTokenInput struct {
	Body struct {
		Name string `json:"name" example:"Shop" doc:"What it is for."`
	}
}

const longestTokenName = 100

// createdTokenView adds what is shown this once. Its schema is its own: huma
// would take an embedded one's name.
type createdTokenView struct {
	ID         uuid.UUID  `json:"id" example:"0197d2c1-6f3b-7c80-9d21-a0b1c2d3e4f5" format:"uuid"`
	Name       string     `json:"name" example:"Shop"`
	CreatedAt  time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Token      string     `json:"token" example:"rel_xJ0hS3m2Qv7c1nT5yK8bW4pD6gF9aL0eR2uZ3iO1sVw" doc:"Shown this once; only its hash is stored."`
}

type createTokenOutput struct{ Body createdTokenView }

func (a *API) createToken(ctx context.Context, in *createTokenInput) (*createTokenOutput, error) {
	name, err := required(in.Body.Name, longestTokenName)
	if err != nil {
		return nil, invalid("body.name", "%s", err)
	}
	token, secret, err := a.store.CreateToken(ctx, callerID(ctx), name)
	if err != nil {
		return nil, err
	}
	v := viewToken(token)
	return &createTokenOutput{Body: createdTokenView{
		ID: v.ID, Name: v.Name, CreatedAt: v.CreatedAt, LastUsedAt: v.LastUsedAt, Token: secret,
	}}, nil
}

type revokeTokenInput struct {
	ByID
	UserID uuid.UUID `query:"user_id" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid" doc:"Another user whose token it is, for a super_admin."`
}

func (a *API) revokeToken(ctx context.Context, in *revokeTokenInput) (*struct{}, error) {
	userID, err := ofUser(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return nil, a.store.RevokeToken(ctx, userID, in.ID)
}
