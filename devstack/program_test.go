package devstack

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startProgram(t *testing.T, log *bytes.Buffer, script string) *Program {
	t.Helper()
	p, err := StartProgram(ProgramOptions{
		Name: "the script", Path: "/bin/sh", Args: []string{"-c", script}, Environment: map[string]string{"WORD": "hello"}, Log: log,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	return p
}

func TestAProgramKnowsOnlyWhatItIsTold(t *testing.T) {
	t.Setenv("OURS", "secret")
	var log bytes.Buffer
	p := startProgram(t, &log, `echo "$WORD, $OURS"`)
	<-p.Done()
	assert.Equal(t, "hello, \n", log.String())
}

func TestAProgramThatFailsWhenItIsStoppedSaysWhy(t *testing.T) {
	var log bytes.Buffer
	p := startProgram(t, &log, `echo "address already in use" >&2; exit 3`)
	<-p.Done()
	assert.True(t, p.PortTaken())
	assert.ErrorContains(t, p.Ended(), "exit status 3")
	assert.ErrorContains(t, p.Stop(context.Background()), "address already in use")
}

func TestAProgramThatEndsInGoodOrderIsStopped(t *testing.T) {
	started := make(chan struct{}, 1)
	p, err := StartProgram(ProgramOptions{
		Name: "the script", Path: "/bin/sh", Args: []string{"-c", `trap 'exit 0' TERM; echo ready; while :; do read -r _ || sleep 0.1; done`},
		Log: writing(func() { started <- struct{}{} }),
	})
	require.NoError(t, err)
	<-started
	require.NoError(t, p.Stop(context.Background()))
}

// writing tells that something was written.
type writing func()

func (w writing) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}
