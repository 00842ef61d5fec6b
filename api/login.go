package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/relance/relance/store"
)

const sessionCookie = "relance_session"

// Visit is what is known of a request besides what it asks, exported like [Paging].
type Visit struct {
	from    netip.Addr
	overTLS bool   // the browser's way here, if need be to a proxy
	agent   string // what the browser calls itself
	session string // the secret of the session that the caller is recognised by
}

// Resolve reads the request.
func (v *Visit) Resolve(ctx huma.Context) []error {
	v.from = address(humagin.Unwrap(ctx))
	request := humagin.Unwrap(ctx).Request
	v.overTLS = request.TLS != nil || strings.EqualFold(request.Header.Get("X-Forwarded-Proto"), "https")
	v.agent = browserName(request.UserAgent())
	if request.Header.Get("Authorization") == "" {
		v.session = sessionSecret(request)
	}
	return nil
}

// address is where a request comes from: the peer, or if that is a trusted proxy
// whom the proxy says it came from. Anybody can send a header that says so.
func address(c *gin.Context) netip.Addr {
	// Some proxies add a line of their own instead of adding to the one there is,
	// and gin reads the first line only.
	if lines := c.Request.Header.Values(forwardedFor); len(lines) > 1 {
		c.Request.Header.Set(forwardedFor, strings.Join(lines, ", "))
	}
	from, _ := netip.ParseAddr(c.ClientIP()) // nobody's where there is none
	return from
}

const forwardedFor = "X-Forwarded-For"

// browserName makes a header storable and short.
func browserName(agent string) string {
	const longest = 200
	agent = strings.ToValidUTF8(strings.ReplaceAll(agent, "\x00", ""), "")
	return strings.ToValidUTF8(agent[:min(len(agent), longest)], "")
}

// sessionSecret is what a request's cookie holds; "" if there is none.
func sessionSecret(request *http.Request) string {
	cookie, err := request.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

type loginInput struct {
	Visit
	Body struct {
		Email    string `json:"email" example:"camille@example.com" minLength:"1" maxLength:"320"`
		Password string `json:"password" example:"correct horse battery" minLength:"1" maxLength:"1000"`
	}
}

type loginOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      userView
}

// login answers alike whether the address or the password is wrong, and in the
// same time. Who fails often has to wait; see [store.Store.AttemptLogin].
func (a *API) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	user, err := a.checkPassword(ctx, in.Visit, in.Body.Email, in.Body.Password)
	if errors.Is(err, store.ErrWrongCredentials) {
		if err := a.store.PasswordRefused(ctx, user, store.ActionLogin); err != nil {
			return nil, err
		}
		return nil, wrongCredentials()
	}
	if err != nil {
		return nil, err
	}
	secret, expiresAt, err := a.store.CreateSession(ctx, user, in.agent)
	if errors.Is(err, store.ErrWrongCredentials) {
		return nil, wrongCredentials()
	}
	if err != nil {
		return nil, err
	}
	cookie := a.cookie(secret, expiresAt, in.overTLS)
	return &loginOutput{SetCookie: cookie.String(), Body: viewUser(user)}, nil
}

func wrongCredentials() error {
	return problem(http.StatusUnauthorized, "The e-mail address or the password is wrong.")
}

// checkPassword finds whose address and password these are, unless too many have
// been tried.
func (a *API) checkPassword(ctx context.Context, v Visit, email, password string) (store.User, error) {
	if err := storable(email); err != nil {
		return store.User{}, invalid("body.email", "%s", err)
	}
	var throttled *store.ThrottledError
	err := a.store.AttemptLogin(ctx, email, v.from)
	if errors.As(err, &throttled) {
		return store.User{}, tooMany(throttled.Wait, "Passwords have been tried too often. The Retry-After header says when to try again.")
	}
	if err != nil {
		return store.User{}, err
	}
	done, err := a.hashing(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer done()
	user, err := a.store.UserByPassword(ctx, email, password)
	if err != nil {
		return user, err
	}
	return user, a.store.LoginSucceeded(ctx, email, v.from)
}

// hashing waits for the memory that hashing a password takes.
func (a *API) hashing(ctx context.Context) (done func(), err error) {
	select {
	case a.logins <- struct{}{}:
		return func() { <-a.logins }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
}

func (a *API) cookie(secret string, expiresAt time.Time, overTLS bool) http.Cookie {
	return http.Cookie{ //nolint:gosec // Secure where the browser came over TLS; a cookie that is Secure is not sent back over plain HTTP
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
	gone := a.cookie("", time.Unix(0, 0), false) //nolint:gosec // it holds nothing
	gone.MaxAge = -1
	return &logoutOutput{SetCookie: gone.String()}, nil
}

func (a *API) me(ctx context.Context, _ *struct{}) (*userOutput, error) {
	return &userOutput{Body: viewUser(caller(ctx))}, nil
}
