package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve listens on addr and, if there is one, on Config.AdminAddr until ctx ends
// or a listener fails; then it ends requests under way and returns, nil if ctx
// ended, with every goroutine of its own ended. It does not play the contacts;
// [Simulator.Run] does.
func (s *Simulator) Serve(ctx context.Context, addr string) error {
	var admin door
	if s.cfg.AdminAddr != "" {
		if err := admin.open(ctx, s.cfg.AdminAddr, s.admin); err != nil {
			return err
		}
		defer admin.shut()
		s.setAdminAddr(admin.address())
	}
	if err := s.door.open(ctx, addr, s.mux); err != nil {
		return err
	}
	defer s.door.shut()
	if s.faults.current().RefuseConnections {
		if err := s.door.refuse(true); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.door.failed:
		return err
	case err := <-admin.failed: // nil, hence silent, without an AdminAddr
		return err
	}
}

// Addr is the address that Serve listens on, empty before it does.
func (s *Simulator) Addr() string { return s.door.address() }

// AdminAddr is the address that Serve offers the /simulator/ endpoints on,
// empty before it does.
func (s *Simulator) AdminAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.adminAddr
}

func (s *Simulator) setAdminAddr(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adminAddr = addr
}

// door is a port that can be closed and opened again.
type door struct {
	mu      sync.Mutex
	ctx     context.Context // of requests
	end     context.CancelFunc
	handler http.Handler
	addr    string
	current *http.Server // nil while connections are refused
	fresh   *freshConns
	former  []*http.Server // may still answer requests under way
	serving sync.WaitGroup
	failed  chan error
}

func (d *door) open(ctx context.Context, addr string, handler http.Handler) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.handler != nil {
		return errors.New("the simulator is serving already")
	}
	d.ctx, d.end = context.WithCancel(ctx)
	d.handler, d.failed = handler, make(chan error, 1)
	if err := d.listen(addr); err != nil {
		d.end()
		d.handler = nil
		return err
	}
	return nil
}

func (d *door) address() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.addr
}

// listen starts a server. Callers hold d.mu.
func (d *door) listen(addr string) error {
	listener, err := (&net.ListenConfig{}).Listen(d.ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("simulator: listening on %s: %w", addr, err)
	}
	d.addr = listener.Addr().String()
	d.fresh = &freshConns{conns: map[net.Conn]struct{}{}}
	ctx, failed := d.ctx, d.failed
	server := &http.Server{
		Handler:           d.handler,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         d.fresh.note,
		ReadHeaderTimeout: 10 * time.Second,
	}
	d.current = server
	d.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			select {
			case failed <- fmt.Errorf("simulator: serving: %w", err):
			default:
			}
		}
	})
	return nil
}

// refuse closes the port, or opens it again.
func (d *door) refuse(refuse bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.handler == nil:
		return errors.New("simulator: only Serve can refuse connections, since only it owns the port")
	case refuse && d.current != nil:
		d.close()
	case !refuse && d.current == nil:
		return d.listenAgain()
	}
	return nil
}

// close stops listening and lets requests under way finish. Callers hold d.mu.
func (d *door) close() {
	// Shutdown with a context that has ended closes the listener and idle
	// connections and does not wait for the others.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = d.current.Shutdown(ended)
	d.fresh.close()
	d.former = append(d.former, d.current)
	d.current = nil
}

// listenAgain takes the port back, which an outgoing connection of some other
// process may hold for a moment. Callers hold d.mu.
func (d *door) listenAgain() error {
	var err error
	for range 100 {
		if err = d.listen(d.addr); err == nil {
			return nil
		}
		select {
		case <-d.ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
	return err
}

// shut ends everything that open began.
func (d *door) shut() {
	d.mu.Lock()
	if d.current != nil {
		d.close()
	}
	d.end() // for requests that hang
	former := d.former
	d.former, d.handler, d.addr = nil, nil, ""
	d.mu.Unlock() // a request under way may be about to use the door

	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, server := range former {
		if server.Shutdown(patience) != nil {
			_ = server.Close()
		}
	}
	d.serving.Wait()
}

// freshConns knows the connections that have not sent anything yet. Shutdown
// spares them for some seconds, and one request could still come through each.
type freshConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (f *freshConns) note(conn net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state == http.StateNew {
		f.conns[conn] = struct{}{}
	} else {
		delete(f.conns, conn)
	}
}

func (f *freshConns) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		_ = conn.Close()
	}
}
