package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leaver is an API that is asked for its readiness and for one slow answer.
type leaver struct {
	leaving  atomic.Bool
	asked    chan struct{} // closed when the slow answer has been begun
	mayReply chan struct{}
}

func (l *leaver) TakeLeave() { l.leaving.Store(true) }

func (l *leaver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/slow":
		close(l.asked)
		<-l.mayReply
		_, _ = io.WriteString(w, "done")
	case l.leaving.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func TestAnAPIThatIsAskedToStopSaysSoBeforeItStopsListeningAndFinishesWhatWasBegun(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	handler := &leaver{asked: make(chan struct{}), mayReply: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serveHTTP(takeLeave(ctx, handler, time.Second), listener, handler, slog.New(slog.DiscardHandler))
	}()
	require.Equal(t, http.StatusOK, status(url))
	slow := make(chan string, 1)
	go func() {
		response, err := http.Get(url + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		slow <- string(body)
	}()
	<-handler.asked

	stop()
	require.Eventually(t, func() bool { return status(url) == http.StatusServiceUnavailable }, time.Minute, time.Millisecond, "it says so while it still listens")
	require.Eventually(t, func() bool { return status(url) == 0 }, time.Minute, 10*time.Millisecond, "then nobody listens any more")
	close(handler.mayReply)
	assert.Equal(t, "done", <-slow)
	assert.NoError(t, <-ended)
}

func TestWhatOthersLeanOnEndsAfterThem(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	drain, ended := make(chan struct{}), make(chan string, 2)
	lasting := func(_ *services, ctx context.Context) error {
		<-ctx.Done()
		ended <- "last"
		return nil
	}
	first := func(_ *services, ctx context.Context) error {
		<-ctx.Done()
		<-drain
		ended <- "first"
		return nil
	}
	over := make(chan error, 1)
	go func() { over <- stopOneByOne(ctx, nil, []part{lasting}, []part{first}) }()
	stop()
	close(drain)
	require.NoError(t, <-over)
	assert.Equal(t, "first", <-ended)
	assert.Equal(t, "last", <-ended)
}

func TestAPartThatFailsEndsTheOthers(t *testing.T) {
	until := func(_ *services, ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	fails := func(*services, context.Context) error { return io.ErrUnexpectedEOF }
	require.ErrorIs(t, stopOneByOne(t.Context(), nil, []part{fails}, []part{until}), io.ErrUnexpectedEOF)
	require.ErrorIs(t, stopOneByOne(t.Context(), nil, []part{until}, []part{fails}), io.ErrUnexpectedEOF)
}
