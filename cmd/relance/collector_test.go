package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	t        *testing.T
	url      string
	mutex    sync.Mutex
	spans    []*tracepb.Span
	received []string // all that came, as text
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t}
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var batch collectorpb.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &batch) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.received = append(c.received, batch.String())
	for _, resource := range batch.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
}

// text is all that has been received: resources, names, attributes, events, states.
func (c *collector) text() (all string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, each := range c.received {
		all += each
	}
	return all
}

// whole is one trace.
type whole []*tracepb.Span

// traceBegunBy awaits the trace that begins with a span of this name until it holds
// what the test wants of it.
func (c *collector) traceBegunBy(name string, holds func(*assert.CollectT, whole)) (found whole) {
	c.t.Helper()
	require.EventuallyWithT(c.t, func(t *assert.CollectT) {
		c.mutex.Lock()
		spans := append(whole(nil), c.spans...)
		c.mutex.Unlock()
		var root *tracepb.Span
		for _, span := range spans {
			if span.GetName() == name && len(span.GetParentSpanId()) == 0 {
				root = span
			}
		}
		require.NotNil(t, root, name)
		found = nil
		for _, span := range spans {
			if string(span.GetTraceId()) == string(root.GetTraceId()) {
				found = append(found, span)
			}
		}
		holds(t, found)
	}, time.Minute, 100*time.Millisecond)
	return found
}

// path is a span's name after those of the spans that it is a part of.
func (w whole) path(span *tracepb.Span) string {
	for _, other := range w {
		if string(other.GetSpanId()) == string(span.GetParentSpanId()) {
			return w.path(other) + " > " + span.GetName()
		}
	}
	return span.GetName()
}

func (w whole) paths() (paths []string) {
	for _, span := range w {
		paths = append(paths, w.path(span))
	}
	return paths
}

// id is the trace's, as log lines have it.
func (w whole) id() string { return hex.EncodeToString(w[0].GetTraceId()) }

// attributes are those of the first span of this name.
func (w whole) attributes(name string) map[string]string {
	attributes := map[string]string{}
	for _, span := range w {
		if span.GetName() == name {
			for _, pair := range span.GetAttributes() {
				attributes[pair.GetKey()] = pair.GetValue().GetStringValue()
			}
			return attributes
		}
	}
	return attributes
}
