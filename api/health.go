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

// TakeLeave makes the API say that it is not ready any more, while it goes on
// serving: for a load balancer, before the process stops to listen.
func (a *API) TakeLeave() { a.leaving.Store(true) }

// ready asks everything at once. Only the database decides: without Temporal or
// Redis requests are still served.
func (a *API) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	if a.leaving.Load() {
		return nil, problem(http.StatusServiceUnavailable, "This process is about to stop.")
	}
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

// temporalView is what Temporal says of itself and of those who work for it.
type temporalView struct {
	health  string
	workers workersView
}

type workersView struct {
	OK         bool       `json:"ok" doc:"Somebody runs campaigns."`
	Reason     string     `json:"reason" doc:"Why not, if not."`
	Polling    int        `json:"polling" example:"2" doc:"How many worker processes asked Temporal for work in the last two minutes. One that was killed is counted for that long."`
	LastSeenAt *time.Time `json:"last_seen_at" nullable:"true" doc:"When Temporal last heard of a worker, if it remembers any."`
}

// temporalNow asks Temporal who runs campaigns.
func (a *API) temporalNow(ctx context.Context) temporalView {
	polling, lastSeen, err := a.options.Engine.Workers(ctx)
	if err != nil {
		return temporalView{health: "unreachable", workers: workersView{Reason: "Temporal does not answer."}}
	}
	workers := workersView{OK: polling > 0, Polling: polling}
	if !workers.OK {
		workers.Reason = "No worker asks Temporal for work of every kind; start `relance worker`."
	}
	if !lastSeen.IsZero() {
		workers.LastSeenAt = utc(&lastSeen)
	}
	return temporalView{health: "ok", workers: workers}
}

// redisNow asks Redis whether it is there.
func (a *API) redisNow(ctx context.Context) string {
	answer := make(chan error, 1)
	answer <- a.cache.Healthy(ctx)
	return health(ctx, answer)
}
