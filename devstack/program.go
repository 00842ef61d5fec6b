package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// ProgramOptions says what to run.
type ProgramOptions struct {
	// Name is for messages.
	Name string

	Path string
	Args []string

	// Environment is all of it, by variable: nothing of ours is handed down.
	Environment map[string]string

	// Log receives all that the program writes. Nil discards it.
	Log io.Writer
}

// Program is a running process that is no server of this package's, such as one
// of Relance's own. It dies with this process like the servers do.
type Program struct {
	child *child
}

// StartProgram starts one, and does not wait until it can do anything.
func StartProgram(opts ProgramOptions) (*Program, error) {
	// Not nil, which would hand ours down.
	env := make([]string, 0, len(opts.Environment))
	for variable, value := range opts.Environment {
		env = append(env, variable+"="+value)
	}
	started, err := command{
		name: opts.Name, path: opts.Path, args: opts.Args, env: env,
		deathSignal: syscall.SIGKILL, log: opts.Log,
	}.start()
	if err != nil {
		return nil, err
	}
	return &Program{started}, nil
}

// Done is closed when the program has ended, for whatever reason.
func (p *Program) Done() <-chan struct{} { return p.child.done }

// Ended says how a program ended that should have gone on, with its last words.
// Done must be closed.
func (p *Program) Ended() error { return p.child.ended() }

// PortTaken reports whether the program complained that another program listens
// where it was told to.
func (p *Program) PortTaken() bool { return p.child.output.contains("address already in use") }

// Stop asks the program to end (SIGTERM) and waits for it. It is an error if it
// fails instead, or has to be killed: when ctx ends, or after half a minute.
func (p *Program) Stop(ctx context.Context) error {
	if err := p.child.stop(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if p.child.err != nil {
		return p.child.ended()
	}
	return nil
}

// Signal sends a signal to the program, for fault tests: SIGSTOP freezes it,
// SIGCONT lets it go on.
func (p *Program) Signal(sig os.Signal) error { return p.child.signal(sig) }

// Kill ends the program with SIGKILL and returns when it is gone.
func (p *Program) Kill() error {
	if err := p.child.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.child.done
	return nil
}

// BuildRelance builds Relance's binary from the checkout into a folder, without C as
// it is shipped.
func BuildRelance(ctx context.Context, folder string) (path string, err error) {
	root, err := FindRoot()
	if err != nil {
		return "", fmt.Errorf("build Relance: %w", err)
	}
	path = filepath.Join(folder, "relance")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/relance")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build Relance: %w", err), errors.New(string(output)))
	}
	return path, nil
}
