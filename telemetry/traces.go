// Package telemetry lets what happens be followed from process to process: traces
// for a collector that speaks OpenTelemetry's protocol, and the ids in log lines.
//
// Neither holds a phone number, a name, a text or a secret: attributes are ids and
// words of small sets, and of errors the type alone.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// Traces hands spans to a collector. A nil Traces makes none.
type Traces struct {
	provider *sdktrace.TracerProvider
	logger   *slog.Logger
}

const (
	// scope is what every span here is said to come from.
	scope = "github.com/relance/relance"
	// flushTimeout is how long a process that ends waits for its last spans to be taken.
	flushTimeout = 5 * time.Second
	// complainEvery bounds how often a collector that is away is complained about.
	complainEvery = time.Minute
)

// Open reads OpenTelemetry's own variables, which its SDK takes from the process's
// environment, and begins to trace. It returns nil where no endpoint is set or
// tracing is switched off, and an error that names the variable where one makes no
// sense. It reaches out to nothing: a collector that is away costs the spans that
// do not fit in memory meanwhile (OTEL_BSP_MAX_QUEUE_SIZE) and nothing else.
func Open(ctx context.Context, environment map[string]string, version string, logger *slog.Logger) (*Traces, error) {
	wanted, err := check(environment)
	if err != nil || !wanted {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing traces from OTEL_EXPORTER_OTLP_…: %w", err)
	}
	// The environment has the last word.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "relance"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("reading OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	complaints := &rate.Sometimes{Interval: complainEvery}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		complaints.Do(func() { logger.Warn("Traces are being lost.", "error", err) })
	}))
	return &Traces{
		provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)), logger: logger,
	}, nil
}

// Tracer is for those who begin traces; nil if nobody does.
func (t *Traces) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(scope)
}

// Close hands over what has not been, as far as the collector takes it within
// five seconds.
func (t *Traces) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.logger.Warn("The last traces were lost.", "error", err)
	}
}

// Protocols and samplers as OpenTelemetry's specification names them.
var (
	protocols = []string{"", "http/protobuf", "http/json"}
	samplers  = []string{
		"", "always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
	}
)

// check tells whether traces are wanted. The SDK itself would go on with a default
// where a value makes no sense.
func check(environment map[string]string) (wanted bool, err error) {
	endpoint, value := first(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if value == "" || strings.EqualFold(environment["OTEL_SDK_DISABLED"], "true") {
		return false, nil
	}
	switch environment["OTEL_TRACES_EXPORTER"] {
	case "none":
		return false, nil
	case "", "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER must be otlp or none, not %q", environment["OTEL_TRACES_EXPORTER"])
	}
	if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false, fmt.Errorf("%s must be the collector's address with http:// or https://, such as http://localhost:4318", endpoint)
	}
	if name, protocol := first(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); !slices.Contains(protocols, protocol) {
		return false, fmt.Errorf("%s must be http/protobuf or http/json, not %q: traces are sent over HTTP, for which collectors mostly listen on port 4318", name, protocol)
	}
	sampler, ratio := environment["OTEL_TRACES_SAMPLER"], environment["OTEL_TRACES_SAMPLER_ARG"]
	if !slices.Contains(samplers, sampler) {
		return false, fmt.Errorf("OTEL_TRACES_SAMPLER must be one of %s, not %q", strings.Join(samplers[1:], ", "), sampler)
	}
	if share, err := strconv.ParseFloat(ratio, 64); strings.HasSuffix(sampler, "traceidratio") && ratio != "" && (err != nil || !(share >= 0 && share <= 1)) {
		return false, errors.New("OTEL_TRACES_SAMPLER_ARG must be the share of traces to keep, between 0 and 1")
	}
	return true, nil
}

// first is the first of the variables that is set.
func first(environment map[string]string, names ...string) (name, value string) {
	for _, name := range names {
		if environment[name] != "" {
			return name, environment[name]
		}
	}
	return "", ""
}
