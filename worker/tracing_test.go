package worker_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	temporal "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
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
	replayer, err := temporal.NewWorkflowReplayerWithOptions(temporal.WorkflowReplayerOptions{
		ContextPropagators: options.ContextPropagators, Interceptors: workerInterceptors(options),
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
	unencrypted, err := worker.NewCodec("")
	require.NoError(t, err)
	plain, err := worker.NewReplayer(unencrypted)
	require.NoError(t, err)
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
			require.NoError(t, plain.ReplayWorkflowHistory(tlog.NewStructuredLogger(mute), history), workflowID)
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

// A campaign of 100,000 has a thousand waves: were they all of the trace of its
// start, that would have hundreds of thousands of spans.
func TestOnlyTheFirstWaveIsOfTheTraceOfTheCampaignsStart(t *testing.T) {
	recorder, tracer := recordSpans()
	_, launch := telemetry.Begin(t.Context(), tracer, "launch")
	for wave, follows := range map[int]bool{1: true, 2: false, 1000: false} {
		var suite testsuite.WorkflowTestSuite
		var written bytes.Buffer
		suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.NewJSONHandler(&written, nil))))
		env := suite.NewTestWorkflowEnvironment()
		traceEnvironment(t, env, tracer, launch)
		in := workflows.WaveInput{CampaignID: uuid.New(), Number: wave, Contacts: []uuid.UUID{uuid.New()}}
		env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflows.WaveID(in.CampaignID, wave), TaskQueue: workflows.TaskQueue})
		workflows.Register(env)
		env.RegisterActivityWithOptions(func(ctx context.Context, _ activities.SendWaveInput) (activities.SendWaveResult, error) {
			activity.GetLogger(ctx).Info("Sending.")
			return activities.SendWaveResult{}, nil
		}, activity.RegisterOptions{Name: "SendWave"})
		env.OnWorkflow(workflows.ContactV2, mock.Anything, mock.Anything).Return(campaign.NoInteraction, nil)

		env.ExecuteWorkflow(workflows.Wave, in)

		require.NoError(t, env.GetWorkflowError())
		sent := recorder.Ended()[len(recorder.Ended())-1]
		require.Equal(t, "Wave SendWave", sent.Name())
		requirePartOf(t, sent, launch, follows)
		require.Contains(t, written.String(), `"trace_id":"`+sent.SpanContext().TraceID().String(), "the activity's log lines name it")
	}
}

// What a campaign does hours after its start is told by itself, not in a trace that
// lasts for days.
func TestWhatHappensLongAfterItsCauseIsATraceOfItsOwn(t *testing.T) {
	recorder, tracer := recordSpans()
	_, launch := telemetry.Begin(t.Context(), tracer, "launch")
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(mute))
	env := suite.NewTestWorkflowEnvironment()
	traceEnvironment(t, env, tracer, launch)
	id := uuid.New()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflows.CampaignID(id), TaskQueue: workflows.TaskQueue})
	workflows.Register(env)
	env.RegisterActivityWithOptions(func(context.Context, uuid.UUID) (activities.FreezeAudienceResult, error) {
		return activities.FreezeAudienceResult{Status: campaign.Running, Recipients: 1, DeadlineLeft: 48 * time.Hour}, nil
	}, activity.RegisterOptions{Name: "FreezeAudience"})
	asked := 0
	env.RegisterActivityWithOptions(func(context.Context, activities.AdmitRecipientsInput) (activities.AdmitRecipientsResult, error) {
		if asked++; asked > 1 {
			return activities.AdmitRecipientsResult{Status: campaign.Running}, nil
		}
		return activities.AdmitRecipientsResult{Status: campaign.Running, Left: 1, AskAgain: 5 * time.Hour, DeadlineLeft: 48 * time.Hour}, nil
	}, activity.RegisterOptions{Name: "AdmitRecipients"})
	env.RegisterActivityWithOptions(func(context.Context, uuid.UUID) (activities.CloseCampaignResult, error) {
		return activities.CloseCampaignResult{Status: campaign.Completed, Closed: true}, nil
	}, activity.RegisterOptions{Name: "CloseCampaign"})

	env.ExecuteWorkflow(workflows.Campaign, workflows.CampaignInput{CampaignID: id})

	require.NoError(t, env.GetWorkflowError())
	var names []string
	for i, span := range recorder.Ended() {
		names = append(names, span.Name())
		requirePartOf(t, span, launch, i < 2)
	}
	require.Equal(t, []string{"Campaign FreezeAudience", "Campaign AdmitRecipients", "Campaign AdmitRecipients", "Campaign CloseCampaign"}, names)
}

// traceEnvironment makes a test environment trace as a worker does, a workflow that
// was started by a span.
func traceEnvironment(t *testing.T, env *testsuite.TestWorkflowEnvironment, tracer trace.Tracer, by trace.Span) {
	t.Helper()
	var options client.Options
	worker.Trace(&options, tracer)
	env.SetContextPropagators(options.ContextPropagators)
	env.SetWorkerOptions(temporal.Options{Interceptors: workerInterceptors(options)})
	header := &commonpb.Header{Fields: map[string]*commonpb.Payload{}}
	require.NoError(t, options.ContextPropagators[0].Inject(trace.ContextWithSpan(t.Context(), by), headerOf(header.Fields)))
	env.SetHeader(header)
}

type headerOf map[string]*commonpb.Payload

func (h headerOf) Set(key string, value *commonpb.Payload) { h[key] = value }

func workerInterceptors(options client.Options) (all []interceptor.WorkerInterceptor) {
	for _, each := range options.Interceptors {
		all = append(all, each.(interceptor.WorkerInterceptor))
	}
	return all
}

// requirePartOf holds for a span of a trace, else for the first of a trace that is
// linked to it.
func requirePartOf(t *testing.T, span sdktrace.ReadOnlySpan, whole trace.Span, follows bool) {
	t.Helper()
	if follows {
		require.Equal(t, whole.SpanContext().SpanID(), span.Parent().SpanID())
		return
	}
	require.NotEqual(t, whole.SpanContext().TraceID(), span.SpanContext().TraceID())
	require.False(t, span.Parent().IsValid())
	require.Len(t, span.Links(), 1)
	require.Equal(t, whole.SpanContext().SpanID(), span.Links()[0].SpanContext.SpanID())
}

// A webhook whose process died keeps no trace; what it is applied in names it.
func TestStoredWebhookIsAppliedInATraceThatNamesIt(t *testing.T) {
	t.Parallel()
	r := start(t, shrunk(), quiet)
	recorder, tracer := recordSpans()
	kept, err := r.store.KeepWebhook(t.Context(), "a key", replyWebhook("A1", "+33639980000"), time.Time{})
	require.NoError(t, err)
	w := r.worker()
	w.Dispatcher.Tracer = tracer
	r.background("the worker", w.Run)

	require.EventuallyWithT(t, func(t *assert.CollectT) {
		spans := map[string]sdktrace.ReadOnlySpan{}
		for _, span := range recorder.Ended() {
			spans[span.Name()] = span
		}
		require.Contains(t, spans, "process a stored webhook")
		require.Contains(t, spans["process a stored webhook"].Attributes(), telemetry.WebhookID(kept.ID))
		require.Equal(t, spans["process a stored webhook"].SpanContext().SpanID(), spans["apply webhook"].Parent().SpanID())
		require.Contains(t, spans["apply webhook"].Attributes(), telemetry.Outcome("reply from somebody never messaged"))
	}, patience, 50*time.Millisecond)
}
