package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/relance/relance/devstack"
)

// victim is a process that can be broken.
type victim interface {
	start() error // where it is not
	kill() error
	stop() error
	freeze() error
	thaw() error
}

// place is where one process of a kind stands, and is started again when it has
// ended by itself, as whatever runs Relance in production does.
type place struct {
	options devstack.ProgramOptions

	mu        sync.Mutex
	program   *devstack.Program // nil while nobody stands there
	fell      []string          // how processes ended by themselves that had begun to work,
	stillborn int               // and how many had not: something that they need was away
	forced    int               // stops that took longer than half a minute
	watching  sync.WaitGroup
}

// ear writes on what a program says, and hears whether it has begun to work.
type ear struct {
	io.Writer
	mu    sync.Mutex
	works bool
}

func (e *ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	e.works = e.works || bytes.Contains(p, []byte("Listening."))
	e.mu.Unlock()
	return e.Writer.Write(p)
}

func (e *ear) hasHeard() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.works
}

func newPlace(name, path string, args []string, environment map[string]string, log io.Writer) *place {
	return &place{options: devstack.ProgramOptions{Name: name, Path: path, Args: args, Environment: environment, Log: log}}
}

func (p *place) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.startLocked()
}

func (p *place) startLocked() error {
	if p.program != nil {
		return nil
	}
	options := p.options
	// What this program plays itself needs nothing to begin, and says nothing.
	heard := &ear{Writer: p.options.Log, works: len(options.Args) == 0}
	options.Log = heard
	program, err := devstack.StartProgram(options)
	if err != nil {
		return err
	}
	p.program = program
	p.watching.Go(func() { p.watch(program, heard) })
	return nil
}

// restAfterFall is how long it takes until a process that ended is started again.
const restAfterFall = 500 * time.Millisecond

// watch starts another process where this one has ended and nobody wanted it to.
func (p *place) watch(program *devstack.Program, heard *ear) {
	<-program.Done()
	if !p.note(program, heard.hasHeard()) {
		return
	}
	time.Sleep(restAfterFall)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.program != program {
		return
	}
	p.program = nil
	if err := p.startLocked(); err != nil {
		p.fell = append(p.fell, err.Error())
	}
}

// note reports whether a program that has ended was to go on.
func (p *place) note(program *devstack.Program, worked bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.program != program {
		return false
	}
	if worked {
		p.fell = append(p.fell, program.Ended().Error())
	} else {
		p.stillborn++
	}
	return true
}

// leave takes the process away from the place, if there is one.
func (p *place) leave() *devstack.Program {
	p.mu.Lock()
	defer p.mu.Unlock()
	program := p.program
	p.program = nil
	return program
}

func (p *place) kill() error {
	if program := p.leave(); program != nil {
		return program.Kill()
	}
	return nil
}

// stop does not fail where the process would not end by itself in half a minute:
// what it needed to end in good order may be broken too.
func (p *place) stop() error {
	program := p.leave()
	if program == nil {
		return nil
	}
	if err := program.Stop(context.Background()); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forced++
	}
	return nil
}

func (p *place) freeze() error { return p.signal(syscall.SIGSTOP) }
func (p *place) thaw() error   { return p.signal(syscall.SIGCONT) }

func (p *place) signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.program == nil {
		return nil
	}
	return p.program.Signal(sig)
}

// end ends the process for good.
func (p *place) end() error {
	err := p.kill()
	p.watching.Wait()
	return err
}

// server is one of devstack's, which are started by a function each.
type server[S interface {
	Stop(context.Context) error
	Done() <-chan struct{}
}] struct {
	name   string
	launch func(context.Context) (S, error)
	// How to break it.
	killed, frozen, thawed func(S) error

	mu      sync.Mutex
	running *S
	fell    int // ended by itself
}

func (s *server[S]) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		select {
		case <-(*s.running).Done():
			s.fell++
			_ = (*s.running).Stop(context.Background())
		default:
			return nil
		}
	}
	started, err := s.launch(context.Background())
	if err != nil {
		return fmt.Errorf("starting %s again: %w", s.name, err)
	}
	s.running = &started
	return nil
}

func (s *server[S]) kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	// Its sessions could not see that it is gone, if it was frozen with them.
	err := errors.Join(s.thawed(*s.running), s.killed(*s.running))
	_ = (*s.running).Stop(context.Background()) // it tells that it was killed
	s.running = nil
	return err
}

// stop does not fail where the server would not stop in time and was killed.
func (s *server[S]) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		_ = s.thawed(*s.running)
		_ = (*s.running).Stop(context.Background())
	}
	s.running = nil
	return nil
}

func (s *server[S]) freeze() error { return s.with(s.frozen) }
func (s *server[S]) thaw() error   { return s.with(s.thawed) }

// with does nothing where all has been killed meanwhile.
func (s *server[S]) with(do func(S) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	return do(*s.running)
}
