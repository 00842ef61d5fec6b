package intake_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
)

func TestWhatAWebhookTellsOfTheErasedIsAppliedAndNotKept(t *testing.T) {
	in, b, contact := listening(t)
	_, _, err := in.Store.Erase(t.Context(), store.Person{ContactID: contact})
	require.NoError(t, err)
	status, err := in.Receive(t.Context(), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	ack := `{"event":"message:out:ack","data":{"id":"3EB0AABBCCDDEEFF0011","flow":"outbound","ack":"read","toNumber":"+33639980000"}}`
	status, err = in.Receive(t.Context(), []byte(ack))
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)

	require.Zero(t, count(t, in, `SELECT count(*) FROM webhook_events`))
	require.Zero(t, count(t, in, `SELECT count(*) FROM interactions`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM messages WHERE read_at IS NOT NULL`))
	require.Empty(t, b.rung)
}

func TestWhatAWebhookTellsOfOthersBesidesTheErasedIsKeptLikeAny(t *testing.T) {
	in, _, contact := listening(t)
	_, _, err := in.Store.Erase(t.Context(), store.Person{ContactID: contact})
	require.NoError(t, err)
	another := `{"event":"message:in:new","data":{"id":"B1","type":"text","flow":"inbound","fromNumber":"+33639980009","body":"STOP"}}`
	both := fmt.Appendf(nil, `[%s,%s]`, reply("A1"), another)
	status, err := in.Receive(t.Context(), both)
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	status, err = in.Receive(t.Context(), both)
	require.NoError(t, err)
	require.Equal(t, intake.StatusDuplicate, status)

	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM opt_outs WHERE phone = '+33639980009'`))
	require.Equal(t, 1, count(t, in, `SELECT count(*) FROM webhook_events`))
	require.Zero(t, count(t, in, `SELECT count(*) FROM webhook_events WHERE position(convert_to('33639980000', 'UTF8') IN raw) > 0`))
}

func TestWebhookOfTheErasedThatWasParkedIsNotKeptEither(t *testing.T) {
	in, b, contact := listening(t)
	status, err := in.Receive(away(t), reply("A1"))
	require.NoError(t, err)
	require.Equal(t, intake.StatusParked, status)
	_, _, err = in.Store.Erase(t.Context(), store.Person{ContactID: contact})
	require.NoError(t, err)
	status, err = in.ReceiveParked(t.Context(), b.parked[0], time.Now())
	require.NoError(t, err)
	require.Equal(t, intake.StatusOK, status)
	require.Zero(t, count(t, in, `SELECT count(*) FROM webhook_events`))
}

func TestWhatAWebhookTellsOfTheErasedIsASpanLikeAnyOther(t *testing.T) {
	in, _, contact := listening(t)
	_, _, err := in.Store.Erase(t.Context(), store.Person{ContactID: contact})
	require.NoError(t, err)
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("")
	ctx, whole := telemetry.Begin(t.Context(), tracer, "whole")
	_, err = in.Receive(ctx, reply("A1"))
	require.NoError(t, err)
	whole.End()
	told := map[string]sdktrace.ReadOnlySpan{}
	for _, span := range recorder.Ended() {
		told[span.Name()] = span
	}
	require.Contains(t, told, "apply webhook")
	require.Contains(t, told["apply webhook"].Attributes(), telemetry.Outcome("reply from somebody never messaged"))
}
