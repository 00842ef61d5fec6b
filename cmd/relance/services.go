package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/api"
	"github.com/relance/relance/cache"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/metrics"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/web"
	"github.com/relance/relance/worker"
)

// services is Relance wired up. Everything that runs is made from it.
type services struct {
	config    config
	logger    *slog.Logger
	store     *store.Store
	cache     *cache.Cache
	temporal  client.Client
	namespace string
	engine    *worker.Engine
	intake    *intake.Intake
	acts      *activities.Activities
	answers   *activities.Answers
	registry  *prometheus.Registry
	traces    *telemetry.Traces
}

// openServices connects. Temporal is connected to when it is first needed, so
// that the API takes webhooks while Temporal is away.
func openServices(ctx context.Context, c config, temporal client.Options, logger *slog.Logger) (*services, error) {
	s := &services{config: c, logger: logger, namespace: temporal.Namespace, registry: metrics.NewRegistry()}
	if s.namespace == "" {
		s.namespace = client.DefaultNamespace
	}
	rules, err := c.rules()
	if err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, c.DatabaseURL, store.Options{
		DeviceID: c.WassengerDeviceID, Rules: rules, Retention: c.retention(), MaxConnections: c.DatabaseMaxConnections,
	}); err != nil {
		return nil, err
	}
	if s.cache, err = cache.New(c.RedisURL, logger); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.traces, err = telemetry.Open(ctx, processEnvironment(), c.buildID(), logger); err != nil {
		return nil, errors.Join(err, s.close())
	}
	worker.Trace(&temporal, s.traces.Tracer())
	temporal.Logger = tlog.NewStructuredLogger(slog.New(worker.LogHandler(logger.Handler())))
	temporal.MetricsHandler = worker.NewTemporalMetrics(s.registry).Handler()
	if s.temporal, err = client.NewLazyClient(temporal); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the Temporal client: %w", err), s.close())
	}
	s.engine = &worker.Engine{Client: s.temporal}
	seal, err := s.seal(ctx)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.intake = &intake.Intake{
		Store: s.store, Workflows: worker.Hasty{Engine: s.engine, Logger: logger}, Seal: seal, Logger: logger,
		ContactsChanged: func(ctx context.Context) { s.cache.Invalidate(ctx, cache.Contacts) },
		Metrics:         intake.NewMetrics(s.registry),
	}
	if err := s.prepareSending(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.registry.MustRegister(collectors.NewDBStatsCollector(s.store.Pool(), "relance"), s.cache)
	metrics.NewSituation(s.registry, s.store, s.engine.Workers)
	return s, nil
}

func (s *services) seal(ctx context.Context) (*intake.Seal, error) {
	key, err := s.store.SealingKey(ctx)
	if err != nil {
		return nil, err
	}
	return intake.NewSeal(key)
}

func (s *services) close() error {
	if s.temporal != nil {
		s.temporal.Close()
	}
	var errs []error
	if s.cache != nil {
		errs = append(errs, s.cache.Close())
	}
	errs = append(errs, s.store.Close())
	s.traces.Close()
	return errors.Join(errs...)
}

// schemaIsCurrent makes sure that the database has this binary's schema.
func schemaIsCurrent(ctx context.Context, c config) error {
	db, err := store.Connect(c.DatabaseURL, 1)
	if err != nil {
		return err
	}
	pending, err := migrations.Pending(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if pending {
		return errors.New("the database schema is older than this binary: run `relance migrate`")
	}
	return nil
}

func (s *services) handler() (*api.API, error) {
	provider, err := s.provider()
	if err != nil {
		return nil, err
	}
	dashboard, err := web.New()
	if err != nil {
		return nil, err
	}
	return api.New(api.Options{
		Store: s.store, Cache: s.cache, Engine: s.engine, Webhooks: s.intake, Provider: provider,
		WebhookTokens: s.config.WebhookTokens, WebhookHMACSecret: s.config.WebhookHMACSecret, WebhookHMACHeader: s.config.WebhookHMACHeader,
		Dashboard: dashboard, TemporalUIURL: s.config.TemporalUIURL, TemporalNamespace: s.namespace,
		RateLimit: s.config.APIRateLimit, TrustedProxies: s.config.TrustedProxies, Logger: s.logger, Metrics: s.registry, Tracer: s.traces.Tracer(),
	})
}

// providerTimeout bounds one call to the provider; it is well under the
// timeout of the activity that makes it.
const providerTimeout = 10 * time.Second

func (s *services) provider() (*wassenger.Client, error) { return s.config.provider() }

func (c config) provider() (*wassenger.Client, error) {
	provider, err := wassenger.New(wassenger.Options{
		BaseURL: c.WassengerBaseURL, Token: c.WassengerToken,
		DeviceID: c.WassengerDeviceID, Timeout: providerTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the provider's client: %w", err)
	}
	return provider, nil
}

// prepareSending makes what sends messages: the API's process answers replies at
// once, and the worker's does everything.
func (s *services) prepareSending() error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	s.acts = &activities.Activities{
		Store: s.store, Provider: provider, Breaker: activities.NewBreaker(s.store.Rules()),
		SendTimeout: providerTimeout, Workflows: s.engine, Webhooks: s.intake,
		Answers: s.cache, Metrics: activities.NewMetrics(s.registry), Ahead: s.config.SendAhead,
	}
	if s.config.SendAhead {
		s.answers = activities.NewAnswers(s.acts, s.logger)
		s.intake.Answers = s.answers
	}
	return nil
}

func (s *services) runAnswers(ctx context.Context) error {
	if s.answers != nil {
		s.answers.Run(ctx)
	}
	return nil
}

func (s *services) worker() *worker.Worker {
	return &worker.Worker{
		Client: s.temporal, Namespace: s.namespace, Logger: s.logger,
		Activities: s.acts, Deployment: s.config.deployment(),
		Dispatcher: &worker.Dispatcher{
			Store: s.store, Engine: s.engine, Intake: s.intake, SettleUnknown: s.acts.SettleUnknown, Logger: s.logger,
			ContactsChanged: func(ctx context.Context) { s.cache.Invalidate(ctx, cache.Contacts, cache.Categories) },
			Metrics:         worker.NewMetrics(s.registry), Tracer: s.traces.Tracer(),
		},
	}
}

// bootstrap creates the first super_admin on an empty database.
func (s *services) bootstrap(ctx context.Context) error {
	if s.config.AdminEmail == "" {
		return nil
	}
	created, err := s.store.Bootstrap(ctx, s.config.AdminEmail, s.config.AdminPassword, s.config.AdminToken)
	if created {
		s.logger.InfoContext(ctx, "The database was empty: ADMIN_EMAIL is its first super_admin.")
	}
	return err
}
