package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/relance/relance/telemetry"
)

// loggedUser is where gin's context keeps the caller's id for the log.
const loggedUser = "user_id"

// requestID is the id that a request's log lines and its answer carry.
func requestID(ctx context.Context) string { return telemetry.RequestID(ctx) }

// observe writes one log line for each request and turns a panic into a plain
// 500. It logs routes, not paths or query strings: those may hold the webhook
// token, phone numbers or names.
func (a *API) observe(c *gin.Context) {
	began := time.Now()
	a.metrics.began()
	id := c.GetHeader("X-Request-ID")
	if !plainID(id) {
		id = rand.Text()
	}
	c.Header("X-Request-ID", id)
	ctx, span := a.beginTrace(telemetry.WithRequestID(c.Request.Context(), id), c, id)
	c.Request = c.Request.WithContext(ctx)
	defer func() {
		caught := recover()
		cut := isCut(caught)
		if caught != nil && !cut {
			a.panicked(c, id, caught)
		}
		took := time.Since(began)
		a.metrics.ended(c.Request.Method, routeOf(c), c.Writer.Status(), took)
		a.logRequest(ctx, c, id, took)
		endTrace(c, span)
		if cut {
			panic(caught)
		}
	}()
	c.Next()
}

// isCut holds for net/http's own way to cut a connection, which is no mistake.
func isCut(caught any) bool {
	err, _ := caught.(error)
	return errors.Is(err, http.ErrAbortHandler)
}

func (a *API) panicked(c *gin.Context, id string, caught any) {
	a.logger.ErrorContext(c.Request.Context(), "A request panicked.",
		"request_id", id, "panic", fmt.Sprint(caught), "stack", string(debug.Stack()))
	if !c.Writer.Written() {
		writeProblem(c, internal(id))
	}
}

func (a *API) logRequest(ctx context.Context, c *gin.Context, id string, took time.Duration) {
	level, status, route := slog.LevelInfo, c.Writer.Status(), routeOf(c)
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case route == "/healthz", route == "/readyz":
		level = slog.LevelDebug
	}
	attributes := []slog.Attr{
		slog.String("request_id", id), slog.String("method", c.Request.Method), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took),
	}
	for key, value := range pathIDs(c) {
		attributes = append(attributes, slog.Any(key, value))
	}
	if user, ok := c.Get(loggedUser); ok {
		attributes = append(attributes, slog.Any(loggedUser, user))
	}
	a.logger.LogAttrs(ctx, level, "request", attributes...)
}

// routeOf is the route that a request met, "(none)" for none.
func routeOf(c *gin.Context) string {
	if route := c.FullPath(); route != "" {
		return route
	}
	return "(none)"
}

// plainID accepts the request ids of proxies, and nothing that could forge log lines.
func plainID(id string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	return id != "" && len(id) <= 64 && strings.Trim(id, letters) == ""
}

// secure sets the headers that keep browsers from doing more with an answer than show it.
func secure(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("X-Frame-Options", "DENY")
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Cross-Origin-Resource-Policy", "same-origin")
	c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// Answers are about people and change by the second.
	c.Header("Cache-Control", "no-store")
	if c.Request.TLS != nil || strings.EqualFold(c.GetHeader("X-Forwarded-Proto"), "https") {
		c.Header("Strict-Transport-Security", "max-age=31536000")
	}
	c.Next()
}
