package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func apiCommand() *cobra.Command {
	return &cobra.Command{
		Use: "api", Short: "Serve the REST API and take webhooks in", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider, needWebhook}, (*services).runAPI)
		},
	}
}

func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run campaigns: Temporal workers and the dispatcher", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider}, (*services).runWorker, (*services).runInternal)
		},
	}
}

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the API and run campaigns in one process", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServices(cmd.Context(), []need{needDatabase, needProvider, needWebhook},
				(*services).runAPI, (*services).runWorker, (*services).runInternal)
		},
	}
}

// runServices wires Relance from the environment and runs parts of it until one
// fails or the context ends.
func runServices(ctx context.Context, needs []need, parts ...func(*services, context.Context) error) (err error) {
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
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error { return part(s, ctx) })
	}
	return group.Wait()
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
	return serveHTTP(ctx, listener, handler, s.logger)
}

func (s *services) runWorker(ctx context.Context) error {
	w, err := s.worker()
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// runInternal answers health checks of a process that serves no API.
func (s *services) runInternal(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.InternalAddr)
	if err != nil {
		return fmt.Errorf("listening on INTERNAL_ADDR: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := errors.Join(s.store.Ping(r.Context()), s.engine.Healthy(r.Context())); err != nil {
			http.Error(w, "database or Temporal does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return serveHTTP(ctx, listener, mux, s.logger)
}

const (
	// drainHTTP is how long open requests may take after a stop was asked for.
	drainHTTP         = 15 * time.Second
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 2 * time.Minute
)

// serveHTTP serves until the context ends, then lets open requests finish.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
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
