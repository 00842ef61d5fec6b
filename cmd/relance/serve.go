package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // on the internal listener alone: nothing serves http.DefaultServeMux
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/metrics"
)

func apiCommand() *cobra.Command {
	return &cobra.Command{
		Use: "api", Short: "Serve the REST API and take webhooks in", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider, needWebhook}, (*services).runInternalOfAPI, (*services).runAPI)
		},
	}
}

func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run campaigns: Temporal workers and the dispatcher", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider}, (*services).runInternal, (*services).runWorker)
		},
	}
}

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the API and run campaigns in one process", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider, needWebhook}, (*services).runInternal, (*services).runAPI, (*services).runWorker)
		},
	}
}

// part is something that runs until its context ends, and then ends in good order.
type part func(*services, context.Context) error

// runServices wires Relance from the environment and runs parts of it until one
// fails or the context ends. What takes work in ends first; answers that it owes
// still leave, and whoever asks at INTERNAL_ADDR is answered, until it has ended.
func runServices(ctx context.Context, needs []need, internal part, intakes ...part) (err error) {
	c, err := readConfig(processEnvironment(), needs...)
	if err != nil {
		return err
	}
	temporal, err := temporalOptions()
	if err != nil {
		return err
	}
	if err := schemaIsCurrent(ctx, c); err != nil {
		return err
	}
	logger := c.logger()
	s, err := openServices(ctx, c, temporal, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	return stopOneByOne(ctx, s, []part{(*services).runAnswers, internal}, intakes)
}

// stopOneByOne runs both kinds of parts side by side, and lets those that last go on
// until the others have ended.
func stopOneByOne(ctx context.Context, s *services, last, first []part) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	lasts, lasting := errgroup.WithContext(lasting)
	for _, each := range last {
		lasts.Go(func() error {
			err := each(s, lasting)
			if err != nil {
				stop()
			}
			return err
		})
	}
	firsts, ctx := errgroup.WithContext(ctx)
	for _, each := range first {
		firsts.Go(func() error { return each(s, ctx) })
	}
	err := firsts.Wait()
	end()
	return errors.Join(err, lasts.Wait())
}

func (s *services) runAPI(ctx context.Context) error {
	handler, err := s.handler()
	if err != nil {
		return err
	}
	defer handler.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listening on HTTP_ADDR: %w", err)
	}
	return serveHTTP(takeLeave(ctx, handler, s.config.ShutdownDelay), listener, handler, s.logger, handler.EndStreams)
}

// takeLeave makes the API say that it is not ready when the context ends, and ends
// the context that it returns so much later: a load balancer has that long to send
// its requests elsewhere before nobody listens any more.
func takeLeave(ctx context.Context, handler interface{ TakeLeave() }, delay time.Duration) context.Context {
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		handler.TakeLeave()
		time.AfterFunc(delay, end)
	})
	return serving
}

func (s *services) runWorker(ctx context.Context) error {
	return s.worker().Run(ctx)
}

// runInternal answers health checks of a process that runs campaigns: it is of no
// use without the database or Temporal.
func (s *services) runInternal(ctx context.Context) error {
	return s.serveInternal(ctx, s.internalHandler(s.store.Ping, s.engine.Healthy))
}

// runInternalOfAPI needs neither to be healthy: the API takes webhooks in while
// either is away. Whether it can serve requests is asked at its /readyz.
func (s *services) runInternalOfAPI(ctx context.Context) error {
	return s.serveInternal(ctx, s.internalHandler())
}

func (s *services) serveInternal(ctx context.Context, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.InternalAddr)
	if err != nil {
		return fmt.Errorf("listening on INTERNAL_ADDR (each process on a machine needs one of its own): %w", err)
	}
	return serveHTTP(ctx, listener, handler, s.logger)
}

// internalHandler is what a process answers to those who run it. None of it is
// on the public listener.
func (s *services) internalHandler(needed ...func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		for _, answers := range needed {
			if answers(r.Context()) != nil {
				http.Error(w, "database or Temporal does not answer", http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", metrics.Handler(s.registry, s.logger))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

const (
	// drainHTTP is how long open requests may take after a stop was asked for.
	drainHTTP         = 15 * time.Second
	readHeaderTimeout = 5 * time.Second
	// writeTimeout is longer than any request takes until it is answered. Whoever
	// takes longer to give or to get something has time of their own (imports,
	// exports, streams of events); nobody keeps a connection by not reading.
	writeTimeout = 2 * time.Minute
	idleTimeout  = 2 * time.Minute
)

// serveHTTP serves until the context ends, then lets open requests finish.
// ending tells those that would not by themselves.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger, ending ...func()) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	for _, end := range ending {
		server.RegisterOnShutdown(end)
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logger.Info("Listening.", "address", listener.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainHTTP)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("finishing open requests: %w", err)
	}
	return nil
}
