package api

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/relance/relance/telemetry"
)

// beginTrace begins a request's trace. It is told the route and never the address,
// whose query may hold the webhook token, phone numbers or names. A trace that the
// caller sends along is linked to, not continued: strangers do not decide what is
// traced. Who asks for health, files or a stream that lasts for hours is not traced.
func (a *API) beginTrace(ctx context.Context, c *gin.Context, id string) (context.Context, trace.Span) {
	route := pathTemplate(c.FullPath())
	if a.options.Tracer == nil || route == "" || route == "/healthz" || route == "/readyz" ||
		strings.HasPrefix(route, "/app") || strings.HasSuffix(route, "/events") {
		return ctx, trace.SpanFromContext(ctx)
	}
	attributes := []attribute.KeyValue{
		attribute.String("http.request.method", c.Request.Method), attribute.String("http.route", route),
		attribute.String("relance.request_id", id),
	}
	for key, value := range pathIDs(c) {
		attributes = append(attributes, attribute.Stringer("relance."+key, value))
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...)}
	sent := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(c.Request.Header))
	if callers := trace.SpanContextFromContext(sent); callers.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: callers}))
	}
	return a.options.Tracer.Start(ctx, c.Request.Method+" "+route, options...)
}

func endTrace(c *gin.Context, span trace.Span) {
	span.SetAttributes(attribute.Int("http.response.status_code", c.Writer.Status()))
	if c.Writer.Status() >= 500 {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// pathIDs are the campaign or the contact that a request's path names, under the
// names that logs use.
func pathIDs(c *gin.Context) map[string]uuid.UUID {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return nil
	}
	switch {
	case strings.HasPrefix(c.FullPath(), "/campaigns/"):
		return map[string]uuid.UUID{"campaign_id": id}
	case strings.HasPrefix(c.FullPath(), "/contacts/"):
		return map[string]uuid.UUID{"contact_id": id}
	}
	return nil
}

// traceCampaign says on a request's span which campaign it has made.
func traceCampaign(ctx context.Context, id uuid.UUID) {
	trace.SpanFromContext(ctx).SetAttributes(telemetry.CampaignID(id))
}
