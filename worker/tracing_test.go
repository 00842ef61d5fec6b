package worker_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"
	temporal "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/worker"
	"github.com/relance/relance/workflows"
)

func recordSpans() (*tracetest.SpanRecorder, trace.Tracer) {
	recorder := tracetest.NewSpanRecorder()
	return recorder, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
}

// tracingReplayer replays as a worker would that traces.
func tracingReplayer(t *testing.T) temporal.WorkflowReplayer {
	t.Helper()
	_, tracer := recordSpans()
	var options client.Options
	worker.Trace(&options, tracer)
	var interceptors []interceptor.WorkerInterceptor
	for _, each := range options.Interceptors {
		interceptors = append(interceptors, each.(interceptor.WorkerInterceptor))
	}
	replayer, err := temporal.NewWorkflowReplayerWithOptions(temporal.WorkflowReplayerOptions{
		ContextPropagators: options.ContextPropagators, Interceptors: interceptors,
	})
	require.NoError(t, err)
	workflows.Register(replayer)
	return replayer
}

// Tracing may be switched on while workflows run that began without it.
func TestHistoriesWithoutTracesReplayWhereTracingIsOn(t *testing.T) {
	files, err := filepath.Glob("../workflows/testdata/histories/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	replayer := tracingReplayer(t)
	for _, file := range files {
		require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(tlog.NewStructuredLogger(mute), file), file)
	}
}

// And off while workflows run that began with it. What a trace adds to a history is
// some bytes in its headers: no event, and nothing of a trace that is not sampled.
func TestHistoriesWithTracesReplayWhereTracingIsOff(t *testing.T) {
	t.Parallel()
	r := start(t, long(), quiet)
	_, tracer := recordSpans()
	options := client.Options{Logger: tlog.NewStructuredLogger(mute)}
	worker.Trace(&options, tracer)
	traced := r.dial(options)
	w := r.worker()
	w.Client = traced
	r.background("the worker", w.Run)

	sizes, events := map[bool]int{}, map[bool]int{}
	for _, sampled := range []bool{true, false} {
		id := r.stored(1, time.Now().Add(time.Hour)) // later than any dispatcher starts it by
		ctx := t.Context()
		if sampled {
			var span trace.Span
			ctx, span = telemetry.Begin(ctx, tracer, "a campaign is started")
			defer span.End()
		}
		require.NoError(t, (&worker.Engine{Client: traced}).StartCampaign(ctx, id))
		contact := r.waiting(id)
		for _, workflowID := range []string{workflows.CampaignID(id), workflows.WaveID(id, 1), contact} {
			history := r.history(workflowID)
			headers := 0
			for _, event := range history.GetEvents() {
				headers += len(event.GetWorkflowExecutionStartedEventAttributes().GetHeader().GetFields())
			}
			require.Equal(t, sampled, headers > 0, workflowID)
			require.NoError(t, worker.NewReplayer().ReplayWorkflowHistory(tlog.NewStructuredLogger(mute), history), workflowID)
			require.NoError(t, tracingReplayer(t).ReplayWorkflowHistory(tlog.NewStructuredLogger(mute), history), workflowID)
			if workflowID == contact {
				sizes[sampled], events[sampled] = proto.Size(history), len(history.GetEvents())
			}
		}
	}
	t.Logf("a contact that waits: %d bytes in %d events traced, %d in %d not", sizes[true], events[true], sizes[false], events[false])
	require.Equal(t, events[false], events[true])
	require.Less(t, sizes[true]-sizes[false], 200)
}

// waiting is the one contact of a campaign, once its workflow waits for a reply.
func (r *relance) waiting(id uuid.UUID) (workflowID string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		recipients, err := r.store.Correspondences(r.t.Context(), id)
		if err != nil || len(recipients) == 0 {
			return false
		}
		workflowID = workflows.ContactID(id, recipients[0].ContactID)
		return slices.Contains(r.eventTypes(workflowID), enumspb.EVENT_TYPE_TIMER_STARTED)
	}, patience, 50*time.Millisecond)
	return workflowID
}

func (r *relance) history(workflowID string) *historypb.History {
	r.t.Helper()
	history := &historypb.History{}
	events := r.engine.Client.GetWorkflowHistory(r.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(r.t, err)
		history.Events = append(history.Events, event)
	}
	return history
}
