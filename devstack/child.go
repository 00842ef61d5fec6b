package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// command is a server to be run as a child of this process.
type command struct {
	name string // for messages
	path string
	args []string
	env  []string
	dir  string

	// account to run as; nil is our own.
	account *account

	// nice is how far the command steps back where processors are short, 0 to 19.
	nice int

	// deathSignal is what the child receives when this process dies.
	deathSignal syscall.Signal

	logger *slog.Logger

	// log receives all that the command writes; nil discards it.
	log io.Writer
}

// child is a running server. It is in a process group of its own, so that Ctrl-C
// reaches only us and we can stop it in good order.
type child struct {
	name    string
	process *os.Process
	output  *tail

	done chan struct{} // closed when the process has ended
	err  error         // how it ended; to be read after done
}

// start runs the command. The child outlives no death of this process.
func (c command) start() (*child, error) {
	cmd := c.polite()
	cmd.Env, cmd.Dir = c.env, c.dir
	output := newTail(c.logger)
	cmd.Stdout, cmd.Stderr = output, output
	if c.log != nil {
		both := io.MultiWriter(c.log, output)
		cmd.Stdout, cmd.Stderr = both, both
	}
	// A grandchild may hold the pipe open after the child is gone.
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.account != nil {
		cmd.SysProcAttr.Credential = c.account.credential()
	}

	ch := &child{name: c.name, output: output, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the thread that forked ends, not the
		// process: this goroutine keeps its thread until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		release, err := startTied(cmd, c.deathSignal)
		started <- err
		if err != nil {
			return
		}
		ch.err = cmd.Wait()
		release()
		output.flush()
		close(ch.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s (%s): %w", c.name, c.path, err)
	}
	ch.process = cmd.Process
	return ch, nil
}

// polite runs the command by nice(1), which becomes the command. Where there is
// no such program it runs as it is.
func (c command) polite() *exec.Cmd {
	if nice, err := exec.LookPath("nice"); err == nil && c.nice > 0 {
		return exec.Command(nice, append([]string{"-n", strconv.Itoa(c.nice), c.path}, c.args...)...)
	}
	return exec.Command(c.path, c.args...)
}

func (c *child) running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// context ends with ctx, after limit, or when the process ends.
func (c *child) context(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// awaitReady asks again and again until the server is ready. The error says how it
// ended instead, or that it was stopped, by quit, because it took too long.
func (c *child) awaitReady(ctx context.Context, quit syscall.Signal, ready func(context.Context) bool) error {
	ctx, cancel := c.context(ctx, readyPatience)
	defer cancel()
	for c.running() {
		if ready(ctx) {
			return nil
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			if c.running() {
				return errors.Join(context.Cause(ctx), c.stop(context.WithoutCancel(ctx), quit))
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	return c.ended()
}

// signal sends sig to the process; that it has ended already is no error.
func (c *child) signal(sig os.Signal) error {
	if err := c.process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s (pid %d): %w", sig, c.name, c.process.Pid, err)
	}
	return nil
}

// stop asks with the first signal and gives it until ctx ends, at most half a
// minute; then it insists with each further signal, and last with SIGKILL. It
// returns when the process is gone, with an error if asking was not enough.
func (c *child) stop(ctx context.Context, ask syscall.Signal, insist ...syscall.Signal) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := c.signal(ask); err != nil {
		return err
	}
	// A stopped (paused) process would not see the signal.
	_ = c.signal(syscall.SIGCONT)
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	for _, sig := range append(insist, syscall.SIGKILL) {
		if err := c.signal(sig); err != nil {
			return err
		}
		select {
		case <-c.done:
			return fmt.Errorf("%s (pid %d) did not stop in time and was ended with %v", c.name, c.process.Pid, sig)
		case <-time.After(5 * time.Second):
		}
	}
	return fmt.Errorf("%s (pid %d) outlived SIGKILL", c.name, c.process.Pid)
}

// ended describes the end of a process that should have gone on.
func (c *child) ended() error {
	reason := "ended"
	if c.err != nil {
		reason = c.err.Error()
	}
	if last := c.output.String(); last != "" {
		return fmt.Errorf("%s stopped (%s); its last words:\n%s", c.name, reason, last)
	}
	return fmt.Errorf("%s stopped (%s) without a word", c.name, reason)
}
