package api

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

type sessionView struct {
	ID         uuid.UUID  `json:"id" example:"4f6b8f0e-51c7-4f39-a6e0-9b1f7d2c3a58" format:"uuid"`
	Agent      string     `json:"agent" example:"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" doc:"What the browser called itself when it logged in."`
	Current    bool       `json:"current" example:"true" doc:"Whether it is the one that asks."`
	CreatedAt  time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	LastUsedAt *time.Time `json:"last_used_at" example:"2026-06-01T09:00:00Z" doc:"To the minute."`
	ExpiresAt  time.Time  `json:"expires_at" example:"2026-06-08T08:00:00Z"`
}

func viewSession(s store.Session) sessionView {
	return sessionView{
		ID: s.ID, Agent: s.Agent, Current: s.Current,
		CreatedAt: s.CreatedAt.UTC(), LastUsedAt: utc(s.LastUsedAt), ExpiresAt: s.ExpiresAt.UTC(),
	}
}

type listSessionsInput struct{ Visit }

func (a *API) listSessions(ctx context.Context, in *listSessionsInput) (*listOutput[sessionView], error) {
	sessions, err := a.store.Sessions(ctx, callerID(ctx), in.session)
	if err != nil {
		return nil, err
	}
	return &listOutput[sessionView]{Body: list[sessionView]{Items: viewAll(sessions, viewSession)}}, nil
}

func (a *API) endSession(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, a.store.EndSession(ctx, callerID(ctx), in.ID)
}

type endedOutput struct {
	Body struct {
		Ended int64 `json:"ended" example:"2" doc:"How many sessions there were."`
	}
}

func (a *API) endOtherSessions(ctx context.Context, in *listSessionsInput) (*endedOutput, error) {
	ended, err := a.store.EndOtherSessions(ctx, callerID(ctx), in.session)
	if err != nil {
		return nil, err
	}
	note(ctx, "ended", ended)
	output := &endedOutput{}
	output.Body.Ended = ended
	return output, nil
}

type changePasswordInput struct {
	Visit
	Body struct {
		Current string `json:"current_password" example:"correct horse battery" minLength:"1" maxLength:"1000"`
		New     string `json:"new_password" example:"a longer phrase than before" minLength:"8" maxLength:"200"`
	}
}

type changePasswordOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

// changePassword ends all of the caller's sessions; the one that asks goes on
// under a new cookie. API tokens stay good: they are revoked one by one. The
// current password is throttled like a login.
func (a *API) changePassword(ctx context.Context, in *changePasswordInput) (*changePasswordOutput, error) {
	if err := store.CheckPassword(in.Body.New); err != nil {
		return nil, invalid("body.new_password", "%s", err)
	}
	_, err := a.checkPassword(ctx, in.Visit, caller(ctx).Email, in.Body.Current)
	if errors.Is(err, store.ErrWrongCredentials) {
		if err := a.store.PasswordRefused(ctx, caller(ctx), store.ActionChangePassword); err != nil {
			return nil, err
		}
		return nil, invalid("body.current_password", "must be the password that you log in with")
	}
	if err != nil {
		return nil, err
	}
	done, err := a.hashing(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	renew := in.session != ""
	secret, expiresAt, err := a.store.ChangePassword(ctx, callerID(ctx), in.Body.New, in.agent, renew)
	if err != nil || !renew {
		return nil, err
	}
	cookie := a.cookie(secret, expiresAt, in.overTLS)
	return &changePasswordOutput{SetCookie: cookie.String()}, nil
}
