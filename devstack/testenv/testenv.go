// Package testenv gives tests a real PostgreSQL and a real Temporal server: one of
// each per test binary, started when first asked for and gone when it ends. A
// package that uses it says so once:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
//
// A test that asks for a server which this machine cannot start fails and says
// what installs it; it is never skipped.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relance/relance/devstack"
)

// servers are shared by the tests of this process; only Main ends them.
var (
	underMain  atomic.Bool
	scratch    = sync.OnceValues(devstack.NewScratch)
	postgres   = sync.OnceValues(startPostgres)
	temporal   = sync.OnceValues(startTemporal)
	stopping   sync.Mutex
	atShutdown []func(context.Context) error
)

// Main runs the tests, stops the servers that they started, and ends the process
// with the tests' exit code. It is the whole of a TestMain.
func Main(m *testing.M) {
	underMain.Store(true)
	code := m.Run()
	if err := shutDown(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func onShutdown(stop func(context.Context) error) {
	stopping.Lock()
	defer stopping.Unlock()
	atShutdown = append(atShutdown, stop)
}

// shutDown undoes in reverse what was started.
func shutDown() error {
	stopping.Lock()
	defer stopping.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var failures []error
	for i := len(atShutdown) - 1; i >= 0; i-- {
		failures = append(failures, atShutdown[i](ctx))
	}
	return errors.Join(failures...)
}

// folder is where the servers keep their files.
func folder() (*devstack.Scratch, error) {
	if !underMain.Load() {
		return nil, errors.New("nobody would stop the server: add `func TestMain(m *testing.M) { testenv.Main(m) }` to this package's tests")
	}
	made, err := scratch()
	if err == nil {
		removeOnce.Do(func() { onShutdown(func(context.Context) error { return made.Remove() }) })
	}
	return made, err
}

var removeOnce sync.Once

// startTimeout also covers a machine that runs several test binaries at once.
func startTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Minute)
}

func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	return value
}
