package bench

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

// relanceProcess is a running Relance, below a shell that ends it with us.
type relanceProcess struct {
	cmd   *exec.Cmd
	input io.Closer
	log   *os.File
}

// untilWeEnd runs a program until the end of its input, which comes with the
// end of this process, however that comes about.
const untilWeEnd = `"$1" "$2" & read -r _; kill $!; wait $!`

// start runs one of Relance's commands and returns how long it took from the
// start of the process until it was ready.
func (r *relance) start(command string) time.Duration {
	r.b.Helper()
	log, err := os.OpenFile(r.scratch.Path("relance.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(r.b, err)
	cmd := exec.Command("/bin/sh", "-c", untilWeEnd, "relance", r.binary, command)
	cmd.Env, cmd.Stderr = os.Environ(), log
	for variable, value := range r.environment {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	// In a group of its own, else Ctrl-C kills the shell before it can kill Relance.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	require.NoError(r.b, err)
	begun := time.Now()
	require.NoError(r.b, cmd.Start())
	r.process = &relanceProcess{cmd: cmd, input: input, log: log}
	r.b.Cleanup(r.process.stop)
	r.b.Cleanup(func() {
		if r.b.Failed() {
			r.b.Log("Relance's last words but for its requests:\n" + complaints(log.Name()))
		}
	})
	for r.ready() != nil {
		if time.Since(begun) > patience {
			r.b.Fatalf("Relance is not ready: %v", r.ready())
		}
		time.Sleep(5 * time.Millisecond)
	}
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
	pids := descendants("relance")
	require.Len(r.b, pids, 1)
	require.NoError(r.b, syscall.Kill(pids[0], syscall.SIGKILL))
	r.process.stop()
}

// stop may be called again.
func (p *relanceProcess) stop() {
	_ = p.input.Close()
	_ = p.cmd.Wait() // with the signal that ended it
	_ = p.log.Close()
}
