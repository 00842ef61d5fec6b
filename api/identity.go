package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

type callerKey struct{}

// caller is who a request comes from; routes for the signed in have one.
func caller(ctx context.Context) store.User {
	user, _ := ctx.Value(callerKey{}).(store.User)
	return user
}

// authenticate lets nobody past who may not call the operation. A route that
// does not say who may is for the signed in.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	who := ctx.Operation().Metadata[accessKey]
	switch who {
	case anyone, provider:
		next(ctx)
		return
	}
	user, err := a.identify(humagin.Unwrap(ctx))
	if errors.Is(err, store.ErrNotFound) {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="relance"`)
		err = problem(http.StatusUnauthorized, "Log in, or send a valid API token as Authorization: Bearer.")
	}
	if err != nil {
		a.refuse(ctx, err)
		return
	}
	humagin.Unwrap(ctx).Set(loggedUser, user.ID)
	if who == superAdmin && user.Role != store.SuperAdmin {
		a.refuse(ctx, problem(http.StatusForbidden, "Only a super_admin manages users."))
		return
	}
	next(huma.WithValue(ctx, callerKey{}, user))
}

// Identify finds who sent a request, by its API token or session; [store.ErrNotFound]
// for nobody. A token that is no good is not made up for by a cookie.
func Identify(ctx context.Context, s *store.Store, request *http.Request) (store.User, error) {
	find, secret := s.UserBySession, presented(request)
	if request.Header.Get("Authorization") != "" {
		find = s.UserByToken
	}
	if secret == "" {
		return store.User{}, store.ErrNotFound
	}
	return find(ctx, secret)
}

// presented is the secret that a request brings, "" for none.
func presented(request *http.Request) string {
	if header := request.Header.Get("Authorization"); header != "" {
		return bearer(header)
	}
	return sessionSecret(request)
}

// identify is Identify within the bounds for those who guess.
func (a *API) identify(c *gin.Context) (store.User, error) {
	if presented(c.Request) == "" {
		return store.User{}, store.ErrNotFound
	}
	if err := a.mayTry(c); err != nil {
		return store.User{}, err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestTimeout)
	defer cancel()
	user, err := Identify(ctx, a.store, c.Request)
	if errors.Is(err, store.ErrNotFound) {
		a.callers.forget(credential(c.Request)) // revoked, or ended
	}
	return user, err
}

// bearer returns the token of an Authorization header, "" for another scheme.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// sameOrigin refuses changes that another site makes a browser ask for. Whoever
// sends a token is no browser led astray: sites cannot make one send it.
func (a *API) sameOrigin(ctx huma.Context, next func(huma.Context)) {
	request := humagin.Unwrap(ctx).Request
	if request.Header.Get("Authorization") == "" {
		if err := a.crossOrigin.Check(request); err != nil {
			a.refuse(ctx, problem(http.StatusForbidden, "Requests from other sites may not change anything."))
			return
		}
	}
	next(ctx)
}

// refuse answers in place of an operation.
func (a *API) refuse(ctx huma.Context, err error) {
	err = a.problemOf(ctx.Context(), err)
	var p *huma.ErrorModel
	if !errors.As(err, &p) {
		p = internal(requestID(ctx.Context()))
	}
	var more huma.HeadersError
	if errors.As(err, &more) {
		for name, values := range more.GetHeaders() {
			for _, value := range values {
				ctx.AppendHeader(name, value)
			}
		}
	}
	writeProblem(humagin.Unwrap(ctx), p)
}

// callerID is the caller's id for a row's created_by.
func callerID(ctx context.Context) uuid.UUID { return caller(ctx).ID }
