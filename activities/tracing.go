package activities

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger"
)

// about says on a span which message it is about.
func about(key store.MessageKey) []attribute.KeyValue {
	return []attribute.KeyValue{
		telemetry.CampaignID(key.CampaignID), telemetry.ContactID(key.ContactID), attribute.String("relance.message_type", string(key.Type)),
	}
}

// startShared starts a span for what is done for several messages at once in each
// of the traces that these belong to: a wave's are of one, and each answer is of its
// own reply's.
func startShared(name string, errands []errand) (end func(error)) {
	var spans []trace.Span
	seen := map[trace.SpanID]bool{}
	for _, e := range errands {
		whole := trace.SpanContextFromContext(e.cause)
		if !whole.IsSampled() || seen[whole.SpanID()] {
			continue
		}
		seen[whole.SpanID()] = true
		_, span := telemetry.Start(e.cause, name, telemetry.CampaignID(e.key.CampaignID),
			attribute.String("relance.message_type", string(e.key.Type)), attribute.Int("relance.together", len(errands)))
		spans = append(spans, span)
	}
	return func(err error) {
		for _, span := range spans {
			telemetry.End(span, err)
		}
	}
}

// endCall ends the span of a request to the provider with the class of its outcome.
func endCall(span trace.Span, err error) {
	if err == nil {
		span.SetAttributes(telemetry.Outcome("accepted"))
		span.End()
		return
	}
	span.SetAttributes(telemetry.Outcome(string(wassenger.ClassOf(err))))
	var said *wassenger.Error
	if errors.As(err, &said) && said.Status > 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", said.Status))
	}
	telemetry.End(span, err)
}
