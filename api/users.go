package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

type userView struct {
	ID         uuid.UUID  `json:"id" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid"`
	Email      string     `json:"email" example:"camille@example.com" format:"email"`
	Role       store.Role `json:"role" example:"admin" enum:"admin,super_admin"`
	DisabledAt *time.Time `json:"disabled_at" doc:"Since when the user may not do anything."`
	CreatedAt  time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Role: u.Role, DisabledAt: utc(u.DisabledAt), CreatedAt: u.CreatedAt.UTC()}
}

type userOutput struct{ Body userView }

func (a *API) listUsers(ctx context.Context, in *Paging) (*listOutput[userView], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Users(ctx, page)
	if err != nil {
		return nil, err
	}
	next, err := cursorAfter(found.Next)
	if err != nil {
		return nil, err
	}
	return &listOutput[userView]{Body: list[userView]{
		Items: viewAll(found.Users, viewUser), NextCursor: next, Total: &found.Total,
	}}, nil
}

type createUserInput struct {
	Body struct {
		Email    string     `json:"email" example:"name@example.com"`
		Password string     `json:"password" example:"correct horse battery" minLength:"8" maxLength:"200"`
		Role     store.Role `json:"role" example:"admin" enum:"admin,super_admin"`
	}
}

func (a *API) createUser(ctx context.Context, in *createUserInput) (*userOutput, error) {
	b := in.Body
	var wrong fields
	if err := store.CheckEmail(strings.TrimSpace(b.Email)); err != nil {
		wrong.wrong("body.email", "%s", err)
	}
	if err := store.CheckPassword(b.Password); err != nil {
		wrong.wrong("body.password", "%s", err)
	}
	if err := wrong.problem(); err != nil {
		return nil, err
	}
	done, err := a.hashing(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	user, err := a.store.CreateUser(ctx, b.Email, b.Password, b.Role)
	if errors.Is(err, store.ErrDuplicateEmail) {
		return nil, taken("body.email", "Another user has this e-mail address.")
	}
	if err != nil {
		return nil, err
	}
	note(ctx, "role", user.Role)
	return &userOutput{Body: viewUser(user)}, nil
}

type changeUserInput struct {
	ByID
	Body struct {
		Role     *store.Role `json:"role,omitempty" example:"super_admin" enum:"admin,super_admin"`
		Disabled *bool       `json:"disabled,omitempty" example:"true" doc:"Ends the user's sessions; API tokens open nothing until the user is enabled again."`
		Password *string     `json:"password,omitempty" example:"a longer phrase than before" minLength:"8" maxLength:"200" doc:"Ends the user's sessions."`
	}
}

func (a *API) changeUser(ctx context.Context, in *changeUserInput) (*userOutput, error) {
	b := in.Body
	if b.Role == nil && b.Disabled == nil && b.Password == nil {
		return nil, invalid("body", "must say what to change: role, disabled or password")
	}
	if b.Password != nil {
		if err := store.CheckPassword(*b.Password); err != nil {
			return nil, invalid("body.password", "%s", err)
		}
		done, err := a.hashing(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	user, err := a.store.ChangeUser(ctx, in.ID, store.UserChange{Role: b.Role, Disabled: b.Disabled, Password: b.Password})
	if errors.Is(err, store.ErrLastSuperAdmin) {
		return nil, problem(http.StatusConflict, "Nobody would be left who manages users: make another super_admin first.")
	}
	if err != nil {
		return nil, err
	}
	noteChange(ctx, b.Role, b.Disabled, b.Password)
	return &userOutput{Body: viewUser(user)}, nil
}

// noteChange tells the audit log what was changed, but no password.
func noteChange(ctx context.Context, role *store.Role, disabled *bool, password *string) {
	if role != nil {
		note(ctx, "role", *role)
	}
	if disabled != nil {
		note(ctx, "disabled", *disabled)
	}
	if password != nil {
		note(ctx, "password", true)
	}
}
