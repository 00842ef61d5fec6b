package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

const sessionCookie = "relance_session"

type userView struct {
	ID        uuid.UUID  `json:"id" format:"uuid"`
	Email     string     `json:"email" format:"email"`
	Role      store.Role `json:"role" enum:"admin,super_admin"`
	CreatedAt time.Time  `json:"created_at"`
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Role: u.Role, CreatedAt: u.CreatedAt.UTC()}
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" minLength:"1" maxLength:"320"`
		Password string `json:"password" minLength:"1" maxLength:"1000"`
	}
	overTLS bool
}

// Resolve notes whether the browser came over TLS, if need be to a proxy.
func (in *loginInput) Resolve(ctx huma.Context) []error {
	request := humagin.Unwrap(ctx).Request
	in.overTLS = request.TLS != nil || strings.EqualFold(request.Header.Get("X-Forwarded-Proto"), "https")
	return nil
}

type loginOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      userView
}

func (a *API) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	if err := storable(in.Body.Email); err != nil {
		return nil, invalid("body.email", "%s", err)
	}
	select {
	case a.logins <- struct{}{}:
		defer func() { <-a.logins }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	user, err := a.store.UserByPassword(ctx, in.Body.Email, in.Body.Password)
	if errors.Is(err, store.ErrWrongCredentials) {
		return nil, problem(http.StatusUnauthorized, "The e-mail address or the password is wrong.")
	}
	if err != nil {
		return nil, err
	}
	secret, expiresAt, err := a.store.CreateSession(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	cookie := a.cookie(secret, expiresAt, in.overTLS)
	return &loginOutput{SetCookie: cookie.String(), Body: viewUser(user)}, nil
}

func (a *API) cookie(secret string, expiresAt time.Time, overTLS bool) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", Expires: expiresAt,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: overTLS || a.options.SecureCookies,
	}
}

type logoutInput struct {
	Session http.Cookie `cookie:"relance_session"`
}

type logoutOutput struct {
	SetCookie string `header:"Set-Cookie"`
}

func (a *API) logout(ctx context.Context, in *logoutInput) (*logoutOutput, error) {
	if err := a.store.DeleteSession(ctx, in.Session.Value); err != nil {
		return nil, err
	}
	gone := a.cookie("", time.Unix(0, 0), false)
	gone.MaxAge = -1
	return &logoutOutput{SetCookie: gone.String()}, nil
}

type userOutput struct{ Body userView }

func (a *API) me(ctx context.Context, _ *struct{}) (*userOutput, error) {
	return &userOutput{Body: viewUser(caller(ctx))}, nil
}
