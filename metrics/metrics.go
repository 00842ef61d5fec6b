// Package metrics is what Prometheus scrapes: a registry with what every process
// tells of itself, the device's situation, and the handler that shows it all.
// What a package counts as it works it registers itself.
package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewRegistry makes a registry that holds the metrics of the Go runtime, of the
// process and of the build.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
}

const (
	// scrapesAtOnce bounds the scrapes that are answered side by side,
	scrapesAtOnce = 4
	// and scrapeTimeout how long one may take; Prometheus waits ten seconds.
	scrapeTimeout = 5 * time.Second
)

// Handler shows what is registered. What cannot be gathered at the moment is left
// out and the rest is shown. It tells nothing about people, but belongs on a
// listener that the public cannot reach.
func Handler(registry *prometheus.Registry, logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: scrapesAtOnce,
		Timeout:             scrapeTimeout,
	})
}
