package telemetry

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Begin starts a trace. A nil tracer starts none.
func Begin(ctx context.Context, tracer trace.Tracer, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	if tracer == nil {
		return ctx, noop.Span{}
	}
	return tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithAttributes(attributes...))
}

// Start adds a span to the trace that ctx belongs to, if it does: nothing begins a
// trace but what Relance is asked to do from outside, and what it finds undone. The
// span that it is a part of may have ended.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	whole := trace.SpanFromContext(ctx)
	if !whole.SpanContext().IsSampled() {
		return ctx, noop.Span{}
	}
	return whole.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithAttributes(attributes...))
}

// StartCall is Start for a request to another server.
func StartCall(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	whole := trace.SpanFromContext(ctx)
	if !whole.SpanContext().IsSampled() {
		return ctx, noop.Span{}
	}
	return whole.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithAttributes(attributes...), trace.WithSpanKind(trace.SpanKindClient))
}

// End ends a span, as failed if err is not nil. Of the error only the type is told:
// the log has its text, under the same trace_id.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", fmt.Sprintf("%T", err)))
	}
	span.End()
}

// Because is ctx for work that is done on account of cause: it carries the span and
// the request id of cause, and ends when ctx does.
func Because(ctx, cause context.Context) context.Context {
	if id := RequestID(cause); id != "" {
		ctx = WithRequestID(ctx, id)
	}
	return trace.ContextWithSpan(ctx, trace.SpanFromContext(cause))
}

// CampaignID names a campaign on a span.
func CampaignID(id uuid.UUID) attribute.KeyValue {
	return attribute.Stringer("relance.campaign_id", id)
}

// ContactID names a contact on a span.
func ContactID(id uuid.UUID) attribute.KeyValue { return attribute.Stringer("relance.contact_id", id) }

// MessageID names a message, by the reference that the provider knows it by.
func MessageID(id uuid.UUID) attribute.KeyValue { return attribute.Stringer("relance.message_id", id) }

// WebhookID names a stored webhook.
func WebhookID(id uuid.UUID) attribute.KeyValue { return attribute.Stringer("relance.webhook_id", id) }

// Outcome says in a word or two of a small set what came of it.
func Outcome(outcome string) attribute.KeyValue { return attribute.String("relance.outcome", outcome) }
