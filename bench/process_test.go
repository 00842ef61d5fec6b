package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
)

// start runs one of Relance's commands and returns how long it took from the
// start of the process until it was ready.
func (r *relance) start(command string) time.Duration {
	r.b.Helper()
	begun := time.Now()
	r.process = r.startProcess(command, r.environment)
	r.awaitReady(r.url + "/readyz")
	return time.Since(begun)
}

// startWorker runs a worker beside what runs already.
func (r *relance) startWorker() {
	r.b.Helper()
	port, err := devstack.FreePort()
	require.NoError(r.b, err)
	environment := maps.Clone(r.environment)
	environment["INTERNAL_ADDR"] = fmt.Sprintf("127.0.0.1:%d", port)
	r.startProcess("worker", environment)
	r.awaitReady("http://" + environment["INTERNAL_ADDR"] + "/healthz")
}

// startProcess starts one that is stopped when the benchmark ends.
func (r *relance) startProcess(command string, environment map[string]string) *devstack.Program {
	r.b.Helper()
	log, err := os.OpenFile(r.scratch.Path(command+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(r.b, err)
	process, err := devstack.StartProgram(devstack.ProgramOptions{
		Name: "relance", Path: r.binary, Args: []string{command}, Environment: environment, Log: log,
	})
	require.NoError(r.b, err)
	r.b.Cleanup(func() {
		_ = process.Stop(context.Background()) // unless it was killed
		_ = log.Close()
		if r.b.Failed() {
			r.b.Log("The last words of relance " + command + " but for its requests:\n" + complaints(log.Name()))
		}
	})
	return process
}

func (r *relance) awaitReady(url string) {
	r.b.Helper()
	awaitEvery(r.b, 5*time.Millisecond, "Relance to be ready", func() error { return r.ready(url) })
}

func (r *relance) ready(url string) error {
	response, err := r.http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// kill ends Relance as a crash would.
func (r *relance) kill() {
	r.b.Helper()
	require.NoError(r.b, r.process.Kill())
}
