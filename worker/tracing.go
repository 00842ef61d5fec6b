package worker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/workflows"
)

// Temporal's own interceptor for OpenTelemetry makes a span of each run, which here
// lasts for days and is told again whenever the workflow has left the cache, and it
// keeps all that follows from a campaign's start in one trace. So workflows make no
// spans here: they hand on, in the header of what they start, which trace they act
// for. That is no part of what a replay compares, so tracing may be switched on and
// off while workflows run.

// Trace makes a Temporal client, and the workers that use it, carry traces from
// whoever starts or signals a workflow to its activities, each of which becomes a
// span. A nil tracer changes nothing.
func Trace(options *client.Options, tracer trace.Tracer) {
	if tracer == nil {
		return
	}
	options.ContextPropagators = append(options.ContextPropagators, propagator{})
	options.Interceptors = append(options.Interceptors, &tracing{tracer: tracer})
}

const (
	// traceHeader is where Temporal's SDKs look for a trace in a header, in this form.
	traceHeader = "_tracer-data"
	// linkedKey marks a trace that what follows is only linked to.
	linkedKey = "linked"
	// storyLasts is for how long what a workflow does belongs to the trace of what it
	// was started or last woken by. Later it is a story of its own.
	storyLasts = time.Minute
)

// origin is the trace that something happens on account of.
type origin struct {
	trace.SpanContext
	linked bool // it is too long ago, or has too many followers, to be of one trace with them
}

// write adds some 130 bytes to an event of the history, and nothing for what is not sampled.
func (o origin) write(w workflow.HeaderWriter) error {
	if !o.IsSampled() {
		return nil
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), o.SpanContext), carrier)
	if o.linked {
		carrier[linkedKey] = "true"
	}
	payload, err := converter.GetDefaultDataConverter().ToPayload(map[string]string(carrier))
	if err != nil {
		return err
	}
	w.Set(traceHeader, payload)
	return nil
}

// originIn reads what write has written. What cannot be read is no trace.
func originIn(header workflow.HeaderReader) origin {
	payload, ok := header.Get(traceHeader)
	if !ok {
		return origin{}
	}
	carrier := map[string]string{}
	if converter.GetDefaultDataConverter().FromPayload(payload, &carrier) != nil {
		return origin{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(carrier))
	return origin{SpanContext: trace.SpanContextFromContext(ctx), linked: carrier[linkedKey] != ""}
}

type (
	originKey struct{} // in an activity's context: its origin
	storyKey  struct{} // in a workflow's context: its *story
)

// story is on whose account a workflow acts.
type story struct {
	origin origin
	since  time.Time // on the workflow's clock; zero until the workflow does something about it
}

// propagator carries origins in Temporal's headers.
type propagator struct{}

// Inject tells a workflow who starts or signals it.
func (propagator) Inject(ctx context.Context, w workflow.HeaderWriter) error {
	return origin{SpanContext: trace.SpanContextFromContext(ctx)}.write(w)
}

// Extract tells an activity whom it acts for.
func (propagator) Extract(ctx context.Context, r workflow.HeaderReader) (context.Context, error) {
	return context.WithValue(ctx, originKey{}, originIn(r)), nil
}

// ExtractToWorkflow is called when a workflow starts and with each signal.
func (propagator) ExtractToWorkflow(ctx workflow.Context, r workflow.HeaderReader) (workflow.Context, error) {
	from := originIn(r)
	told, _ := ctx.Value(storyKey{}).(*story)
	if told == nil {
		return workflow.WithValue(ctx, storyKey{}, &story{origin: from, since: workflow.GetInfo(ctx).WorkflowStartTime}), nil
	}
	if from.IsValid() {
		*told = story{origin: from} // the clock here is that of the task before
	}
	return ctx, nil
}

// InjectFromWorkflow tells an activity or a child whom it acts for. Of a campaign's
// waves the first belongs to the trace of the campaign's start; each further one, of
// which there may be a thousand, and its contacts are linked to it.
func (propagator) InjectFromWorkflow(ctx workflow.Context, w workflow.HeaderWriter) error {
	told, _ := ctx.Value(storyKey{}).(*story)
	if told == nil {
		return nil
	}
	if told.since.IsZero() {
		told.since = workflow.Now(ctx)
	}
	from := told.origin
	_, _, wave := workflows.SubjectOf(workflow.GetInfo(ctx).WorkflowExecution.ID)
	from.linked = from.linked || wave > 1 || workflow.Now(ctx).Sub(told.since) > storyLasts
	return from.write(w)
}

// tracing makes spans of activities and of what is asked of workflows.
type tracing struct {
	interceptor.InterceptorBase
	tracer trace.Tracer
}

func (t *tracing) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	traced := &tracedClient{}
	traced.Next = next
	return traced
}

func (t *tracing) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	traced := &tracedActivity{tracer: t.tracer}
	traced.Next = next
	return traced
}

type tracedClient struct {
	interceptor.ClientOutboundInterceptorBase
}

func (c *tracedClient) ExecuteWorkflow(ctx context.Context, in *interceptor.ClientExecuteWorkflowInput) (run client.WorkflowRun, err error) {
	ctx, span := telemetry.StartCall(ctx, "start "+in.WorkflowType, subject(in.Options.ID)...)
	defer func() { telemetry.End(span, err) }()
	return c.Next.ExecuteWorkflow(ctx, in)
}

func (c *tracedClient) SignalWorkflow(ctx context.Context, in *interceptor.ClientSignalWorkflowInput) (err error) {
	ctx, span := telemetry.StartCall(ctx, "signal "+in.SignalName, subject(in.WorkflowID)...)
	defer func() { telemetry.End(span, err) }()
	return c.Next.SignalWorkflow(ctx, in)
}

func (c *tracedClient) SignalWithStartWorkflow(ctx context.Context, in *interceptor.ClientSignalWithStartWorkflowInput) (run client.WorkflowRun, err error) {
	ctx, span := telemetry.StartCall(ctx, "signal "+in.SignalName+" or start "+in.WorkflowType, subject(in.Options.ID)...)
	defer func() { telemetry.End(span, err) }()
	return c.Next.SignalWithStartWorkflow(ctx, in)
}

// subject says on a span which campaign, contact or wave it is about.
func subject(workflowID string) (attributes []attribute.KeyValue) {
	campaignID, contactID, wave := workflows.SubjectOf(workflowID)
	if campaignID != uuid.Nil {
		attributes = append(attributes, telemetry.CampaignID(campaignID))
	}
	if contactID != uuid.Nil {
		attributes = append(attributes, telemetry.ContactID(contactID))
	}
	if wave > 0 {
		attributes = append(attributes, attribute.Int("relance.wave", wave))
	}
	return attributes
}

type tracedActivity struct {
	interceptor.ActivityInboundInterceptorBase
	tracer trace.Tracer
}

func (a *tracedActivity) Init(next interceptor.ActivityOutboundInterceptor) error {
	traced := &tracedActivityOutbound{}
	traced.Next = next
	return a.Next.Init(traced)
}

func (a *tracedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (result any, err error) {
	info := activity.GetInfo(ctx)
	from, _ := ctx.Value(originKey{}).(origin)
	// It may be an attempt hours after the first.
	follows := from.IsValid() && !from.linked && time.Since(info.ScheduledTime) <= storyLasts
	if info.IsLocalActivity && !follows {
		return a.Next.ExecuteActivity(ctx, in) // one quick question to the database is no story
	}
	options := []trace.SpanStartOption{
		trace.WithAttributes(subject(info.WorkflowExecution.ID)...),
		trace.WithAttributes(attribute.String("temporal.run_id", info.WorkflowExecution.RunID), attribute.Int("temporal.attempt", int(info.Attempt))),
	}
	switch {
	case follows:
		ctx = trace.ContextWithRemoteSpanContext(ctx, from.SpanContext)
	case from.IsValid():
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: from.SpanContext}))
	}
	workflowType := "Activity"
	if info.WorkflowType != nil {
		workflowType = info.WorkflowType.Name
	}
	ctx, span := a.tracer.Start(ctx, workflowType+" "+info.ActivityType.Name, options...)
	defer func() {
		if isDailyLife(err) {
			telemetry.End(span, nil)
			return
		}
		telemetry.End(span, err)
	}()
	return a.Next.ExecuteActivity(ctx, in)
}

// isDailyLife holds for what a message may meet and is no fault.
func isDailyLife(err error) bool {
	var told *temporal.ApplicationError
	return errors.As(err, &told) && told.Category() == temporal.ApplicationErrorCategoryBenign
}

type tracedActivityOutbound struct {
	interceptor.ActivityOutboundInterceptorBase
}

func (a *tracedActivityOutbound) GetLogger(ctx context.Context) tlog.Logger {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return a.Next.GetLogger(ctx)
	}
	return tlog.With(a.Next.GetLogger(ctx), "trace_id", span.TraceID().String(), "span_id", span.SpanID().String())
}
