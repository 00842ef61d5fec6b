package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/relance/relance/cache"
)

type aliveOutput struct {
	Body struct {
		Status string `json:"status" enum:"ok"`
	}
}

func (a *API) alive(context.Context, *struct{}) (*aliveOutput, error) {
	output := new(aliveOutput)
	output.Body.Status = "ok"
	return output, nil
}

type readyOutput struct {
	Body struct {
		Status   string `json:"status" enum:"ready"`
		Database string `json:"database" enum:"ok"`
		Temporal string `json:"temporal" enum:"ok,unreachable" doc:"While it is unreachable, campaigns wait."`
		Redis    string `json:"redis" enum:"ok,unreachable,off" doc:"Without it every answer comes from the database."`
	}
}

// healthLimit is how long anything asked about its health may take to answer.
const healthLimit = 2 * time.Second

// ready asks everything at once. Only the database decides: without Temporal or
// Redis requests are still served.
func (a *API) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	temporal, redis := make(chan error, 1), make(chan error, 1)
	go func() { temporal <- a.options.Engine.Healthy(ctx) }()
	go func() { redis <- a.cache.Healthy(ctx) }()
	if err := a.store.Ping(ctx); err != nil {
		return nil, problem(http.StatusServiceUnavailable, "The database does not answer.")
	}
	output := new(readyOutput)
	output.Body.Status, output.Body.Database = "ready", "ok"
	output.Body.Temporal, output.Body.Redis = health(ctx, temporal), health(ctx, redis)
	return output, nil
}

// health puts an answer into one word: anybody may ask, so errors stay inside.
func health(ctx context.Context, answer <-chan error) string {
	select {
	case err := <-answer:
		switch {
		case err == nil:
			return "ok"
		case errors.Is(err, cache.ErrOff):
			return "off"
		}
	case <-ctx.Done():
	}
	return "unreachable"
}
