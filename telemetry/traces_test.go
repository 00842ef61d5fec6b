package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestNothingIsTracedUnlessACollectorIsNamed(t *testing.T) {
	for _, environment := range []map[string]string{
		{},
		{"OTEL_SERVICE_NAME": "relance"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"},
	} {
		traces, err := Open(t.Context(), environment, "", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.Nil(t, traces, "%v", environment)
		require.Nil(t, traces.Tracer())
		traces.Close()
	}
}

func TestSenselessVariableIsNamedAndNotReplacedByADefault(t *testing.T) {
	for problem, change := range map[string]map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT must be":                                        {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be":                                 {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "/v1/traces"},
		`OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json, not "grpc"`: {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		"OTEL_TRACES_EXPORTER must be":                                               {"OTEL_TRACES_EXPORTER": "zipkin"},
		"OTEL_TRACES_SAMPLER must be":                                                {"OTEL_TRACES_SAMPLER": "sometimes"},
		"OTEL_TRACES_SAMPLER_ARG must be":                                            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "10"},
	} {
		environment := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
		for variable, value := range change {
			environment[variable] = value
		}
		_, err := Open(t.Context(), environment, "", slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, problem)
		require.NotContains(t, err.Error(), "\n")
	}
}

// What waits for a collector that never answers is bounded, and so is what its
// absence takes of those who make spans and of those who end.
func TestSpansForACollectorThatNeverAnswersAreDroppedAndWaitedForShortly(t *testing.T) {
	asked, end := make(chan struct{}, 100), make(chan struct{})
	hole := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	defer hole.Close()
	defer close(end)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", hole.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	traces, err := Open(t.Context(), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": hole.URL}, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, span := Begin(t.Context(), traces.Tracer(), "the first")
	span.End()
	<-asked

	began := time.Now()
	for range 100_000 {
		_, span := Begin(t.Context(), traces.Tracer(), "another")
		span.End()
	}
	require.Less(t, time.Since(began), 30*time.Second, "none of them waited for the collector")
	began = time.Now()
	traces.Close()
	require.Less(t, time.Since(began), flushTimeout+20*time.Second)
}

func recorded(t *testing.T) (*tracetest.SpanRecorder, trace.Tracer) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return recorder, provider.Tracer(scope)
}

func TestErrorsTextStaysOutOfTheTrace(t *testing.T) {
	recorder, tracer := recorded(t)
	_, span := Begin(t.Context(), tracer, "something")
	End(span, errors.New("a phone number"))
	require.Equal(t, "Error", recorder.Ended()[0].Status().Code.String())
	require.Empty(t, recorder.Ended()[0].Status().Description)
	require.Empty(t, recorder.Ended()[0].Events())
	require.Equal(t, "*errors.errorString", recorder.Ended()[0].Attributes()[0].Value.AsString())
}

func TestSpanIsPartOfOneThatHasEndedAndOfNoneThatIsNotTraced(t *testing.T) {
	recorder, tracer := recorded(t)
	ctx, whole := Begin(t.Context(), tracer, "whole")
	whole.End()
	later, cancel := context.WithCancel(WithRequestID(t.Context(), "another request"))
	cancel()
	_, part := Start(Because(later, WithRequestID(ctx, "a request")), "part")
	part.End()
	require.Equal(t, whole.SpanContext().SpanID(), recorder.Ended()[1].Parent().SpanID())

	_, none := Start(t.Context(), "nobody's")
	none.End()
	require.Len(t, recorder.Ended(), 2)
}

func TestLogLinesNameRequestAndTrace(t *testing.T) {
	_, tracer := recorded(t)
	var written bytes.Buffer
	logger := slog.New(LogHandler(slog.NewJSONHandler(&written, nil))).With("part", "of the whole")
	line := func(ctx context.Context, args ...any) map[string]any {
		written.Reset()
		logger.InfoContext(ctx, "said", args...)
		var line map[string]any
		require.NoError(t, json.Unmarshal(written.Bytes(), &line))
		require.Equal(t, "of the whole", line["part"])
		return line
	}
	ctx, span := Begin(WithRequestID(t.Context(), "r1"), tracer, "something")
	require.Subset(t, line(ctx), map[string]any{
		"request_id": "r1", "trace_id": span.SpanContext().TraceID().String(), "span_id": span.SpanContext().SpanID().String(),
	})
	require.Equal(t, "its own", line(ctx, "request_id", "its own")["request_id"])
	require.NotContains(t, line(t.Context()), "trace_id")
	require.NotContains(t, line(t.Context()), "request_id")
}

// What tracing costs where it is switched off.
func BenchmarkOff(b *testing.B) {
	for b.Loop() {
		_, span := Start(b.Context(), "claim")
		End(span, nil)
	}
}
