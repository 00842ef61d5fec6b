package bench

import (
	"context"
	"errors"
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
	log, err := os.OpenFile(r.scratch.Path("relance.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(r.b, err)
	begun := time.Now()
	r.process, err = devstack.StartProgram(devstack.ProgramOptions{
		Name: "relance", Path: r.binary, Args: []string{command}, Environment: r.environment, Log: log,
	})
	require.NoError(r.b, err)
	process := r.process
	r.b.Cleanup(func() {
		_ = process.Stop(context.Background()) // unless it was killed
		_ = log.Close()
		if r.b.Failed() {
			r.b.Log("Relance's last words but for its requests:\n" + complaints(log.Name()))
		}
	})
	awaitEvery(r.b, 5*time.Millisecond, "Relance to be ready", r.ready)
	return time.Since(begun)
}

func (r *relance) ready() error {
	response, err := r.http.Get(r.url + "/readyz")
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
