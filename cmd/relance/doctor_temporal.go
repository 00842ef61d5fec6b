package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/worker"
)

// temporalDoctor looks at Temporal.
type temporalDoctor struct {
	options   client.Options
	client    client.Client // once it is connected
	namespace string
}

func (d *temporalDoctor) close() {
	if d.client != nil {
		d.client.Close()
	}
}

func (d *temporalDoctor) examinations() []examination {
	return []examination{
		{name: "temporal settings", run: d.settings, vital: true},
		{name: "temporal", run: d.reach, vital: true},
		{name: "namespace", run: d.lookAtNamespace, vital: true},
		{name: "search attributes", run: d.searchAttributes},
		{name: "workers", run: d.workers},
		{name: "encryption", run: d.encryption},
	}
}

// expiresSoon leaves time to renew a certificate.
const expiresSoon = 21 * 24 * time.Hour

// settings reads them, and looks at the certificate that is shown to Temporal
// (mTLS), which nobody thinks of until it expires.
func (d *temporalDoctor) settings(context.Context) finding {
	var err error
	if d.options, err = temporalOptions(); err != nil {
		return fail("correct this variable", "%s", oneLine(err))
	}
	d.options.Logger = quiet{}
	d.namespace = cmp.Or(d.options.Namespace, client.DefaultNamespace)
	tls := d.options.ConnectionOptions.TLS
	if tls == nil {
		return ok("a connection in plain text")
	}
	for _, pair := range tls.Certificates {
		if pair.Leaf == nil {
			continue
		}
		f := expiry(pair.Leaf, "renew it, and replace TEMPORAL_TLS_CLIENT_CERT_… everywhere")
		f.Says = "TLS, with a client's certificate that " + f.Says
		return f
	}
	return ok("TLS")
}

func (d *temporalDoctor) reach(ctx context.Context) finding {
	const remedy = "check TEMPORAL_ADDRESS, TEMPORAL_API_KEY and TEMPORAL_TLS_…, that Temporal runs there, and that this machine may connect to it"
	address := cmp.Or(d.options.HostPort, client.DefaultHostPort)
	var err error
	if d.client, err = client.DialContext(ctx, d.options); err != nil {
		return fail(remedy, "%s does not answer: %s", address, oneLine(err))
	}
	begun := time.Now()
	info, err := d.client.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return fail(remedy, "%s does not answer: %s", address, oneLine(err))
	}
	return ok("Temporal %s answers in %s", cmp.Or(info.GetServerVersion(), "at "+address), time.Since(begun).Round(time.Millisecond))
}

// expiry grades how long a certificate is still good.
func expiry(certificate *x509.Certificate, remedy string) finding {
	switch until := certificate.NotAfter; {
	case time.Until(until) < 0:
		return fail(remedy, "expired on %s", until.UTC().Format(time.DateOnly))
	case time.Until(until) < expiresSoon:
		return warn(remedy, "expires on %s", until.UTC().Format(time.DateOnly))
	default:
		return ok("is good until %s", until.UTC().Format(time.DateOnly))
	}
}

func (d *temporalDoctor) lookAtNamespace(ctx context.Context) finding {
	described, err := d.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: d.namespace})
	var absent *serviceerror.NamespaceNotFound
	var unknown *serviceerror.NotFound
	switch {
	case errors.As(err, &absent), errors.As(err, &unknown):
		return fail("run `relance temporal setup`, or correct TEMPORAL_NAMESPACE", "there is no namespace %s", d.namespace)
	case worker.IsRefused(err):
		return fail("check TEMPORAL_NAMESPACE, and what the API key or certificate may do", "these credentials may not look at %s", d.namespace)
	case err != nil:
		return fail("look at Temporal's log", "%s: %s", d.namespace, oneLine(err))
	case described.GetNamespaceInfo().GetState() != enumspb.NAMESPACE_STATE_REGISTERED:
		return fail("use another one: set TEMPORAL_NAMESPACE and run `relance temporal setup`", "%s is %s", d.namespace, described.GetNamespaceInfo().GetState())
	}
	return ok("%s keeps ended workflows for %s", d.namespace, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
}

func (d *temporalDoctor) searchAttributes(ctx context.Context) finding {
	missing, err := worker.MissingSearchAttributes(ctx, d.client, d.namespace)
	switch {
	case err != nil:
		return fail("run `relance temporal setup`", "%s", oneLine(err))
	case len(missing) > 0:
		return fail("run `relance temporal setup`", "%s missing", strings.Join(missing, " and "))
	}
	return ok("%s", strings.Join(worker.SearchAttributes, ", "))
}

func (d *temporalDoctor) workers(ctx context.Context) finding {
	polled, err := (&worker.Engine{Client: d.client}).Queues(ctx)
	if err != nil {
		return fail("look at Temporal's log", "%s", oneLine(err))
	}
	fewest := polled[0].Processes
	for _, queue := range polled {
		fewest = min(fewest, queue.Processes)
		if queue.Processes > 0 {
			continue
		}
		seen := "none was ever heard of"
		if !queue.LastSeen.IsZero() {
			seen = fmt.Sprintf("the last one was heard of %s ago", time.Since(queue.LastSeen).Round(time.Second))
		}
		return fail("start `relance worker` (or `relance serve`) with the same TEMPORAL_… variables, and look at its log",
			"nobody polls the task queue %s for work of the kind %s; %s", queue.Queue, queue.Kind, seen)
	}
	return ok("every task queue is polled, by %d or more processes", fewest)
}

// runningWorkflows are looked at in samples: the newest, and campaigns, which are few
// and run for longest, so that they show the oldest key.
var runningWorkflows = []struct {
	query string
	most  int32
}{{"ExecutionStatus = 'Running'", 5}, {"ExecutionStatus = 'Running' AND WorkflowType = 'Campaign'", 50}}

// encryption finds out whether a worker with these keys could go on with what runs.
func (d *temporalDoctor) encryption(ctx context.Context) finding {
	codec, err := temporalCodec()
	if err != nil {
		return fail("correct TEMPORAL_CODEC_KEYS", "%s", oneLine(err))
	}
	for _, sample := range runningWorkflows {
		listed, err := d.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: d.namespace, Query: sample.query, PageSize: sample.most,
		})
		if err != nil {
			return fail("look at Temporal's log", "the running workflows could not be listed: %s", oneLine(err))
		}
		for _, run := range listed.GetExecutions() {
			if f := d.readable(ctx, codec, run.GetExecution()); f.Result == failed {
				return f
			}
		}
	}
	if codec.KeyID() == "" {
		return ok("off: what Relance gives to Temporal (ids, counts, states) is readable there")
	}
	return ok("with the key %s", codec.KeyID())
}

// readable: what the workflow was started with can be decrypted, or it has ended meanwhile.
func (d *temporalDoctor) readable(ctx context.Context, codec *worker.Codec, run *commonpb.WorkflowExecution) finding {
	history := d.client.GetWorkflowHistory(ctx, run.GetWorkflowId(), run.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := history.Next()
	var ended *serviceerror.NotFound
	if errors.As(err, &ended) {
		return ok("it has ended")
	}
	if err != nil {
		return fail("look at Temporal's log", "the history of %s could not be read: %s", run.GetWorkflowId(), oneLine(err))
	}
	if _, err := codec.Decode(first.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()); err != nil {
		return fail("give every process every key in use: campaigns wait until a worker has them", "%s", oneLine(err))
	}
	return ok("it can be read")
}
