package devstack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

func startTemporal(t *testing.T, opts TemporalOptions) *Temporal {
	t.Helper()
	server, err := StartTemporal(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		// Stopping in good order takes a while and has a test of its own.
		require.NoError(t, server.Signal(os.Kill))
		require.NoError(t, server.Stop(context.Background()))
	})
	return server
}

func dial(t *testing.T, server *Temporal) client.Client {
	t.Helper()
	connection, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address(), Namespace: server.Namespace()})
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	return connection
}

func TestTemporalIsSetUpForRelance(t *testing.T) {
	server := startTemporal(t, TemporalOptions{Namespace: "relance"})
	connection := dial(t, server)

	namespace, err := connection.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "relance"})
	require.NoError(t, err)
	assert.Equal(t, 72*time.Hour, namespace.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())

	attributes, err := connection.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "relance"})
	require.NoError(t, err)
	for _, name := range []string{"CampaignId", "ContactState"} {
		assert.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, attributes.GetCustomAttributes()[name], name)
	}

	answer, err := http.Get(server.UIURL())
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
}

func TestAcknowledgedWorkflowsSurviveAKilledServer(t *testing.T) {
	dbFile := scratchDir(t).Path("temporal.db")
	server := startTemporal(t, TemporalOptions{DBFile: dbFile, UIPort: -1})
	started, err := dial(t, server).ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "kept", TaskQueue: "nobody-listens"}, "AnyWorkflow")
	require.NoError(t, err)

	require.NoError(t, server.Signal(os.Kill))
	<-server.Done()
	require.NoError(t, server.Stop(t.Context()))

	again := startTemporal(t, TemporalOptions{DBFile: dbFile, UIPort: -1, Port: server.port})
	assert.Equal(t, server.Address(), again.Address())
	found, err := dial(t, again).DescribeWorkflowExecution(t.Context(), "kept", "")
	require.NoError(t, err)
	assert.Equal(t, started.GetRunID(), found.GetWorkflowExecutionInfo().GetExecution().GetRunId())
}

func TestAPausedServerGoesOn(t *testing.T) {
	server := startTemporal(t, TemporalOptions{UIPort: -1})
	connection := dial(t, server)
	require.NoError(t, server.Signal(syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := connection.CheckHealth(short, &client.CheckHealthRequest{})
		return err != nil
	}, patience, tick)
	require.NoError(t, server.Signal(syscall.SIGCONT))
	require.Eventually(t, func() bool {
		_, err := connection.CheckHealth(t.Context(), &client.CheckHealthRequest{})
		return err == nil
	}, patience, tick)
}

func TestTemporalStopsInGoodOrder(t *testing.T) {
	server, err := StartTemporal(t.Context(), TemporalOptions{UIPort: -1})
	require.NoError(t, err)
	require.NoError(t, server.Stop(t.Context()))
	require.NoError(t, server.Stop(t.Context()), "a second time")
	assert.False(t, listening(server.Address()))
}

func TestOneDBFileHasOneServer(t *testing.T) {
	dbFile := scratchDir(t).Path("temporal.db")
	startTemporal(t, TemporalOptions{DBFile: dbFile, UIPort: -1})
	_, err := StartTemporal(t.Context(), TemporalOptions{DBFile: dbFile, UIPort: -1})
	require.ErrorIs(t, err, errLeased)
}

func TestATakenTemporalPortIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", address(0))
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, opts := range map[string]TemporalOptions{
		"gRPC":   {Port: port, UIPort: -1},
		"Web UI": {UIPort: port},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := StartTemporal(ctx, opts)
			require.ErrorIs(t, err, errPortTaken)
			assert.ErrorContains(t, err, fmt.Sprint(port))
		})
	}
}

func TestAMissingTemporalIsExplained(t *testing.T) {
	t.Setenv("TEMPORAL_CLI_PATH", t.TempDir()+"/temporal")
	_, err := StartTemporal(t.Context(), TemporalOptions{})
	require.ErrorIs(t, err, ErrNoTemporal)
	assert.ErrorContains(t, err, "make tools")
}
