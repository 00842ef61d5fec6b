package intake_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// gate stands between the store and its database, and plays its stops. Closed, it
// hangs up on everybody at once. It keeps its port meanwhile, which another
// program might take.
type gate struct {
	listener net.Listener
	database string

	mu      sync.Mutex
	open    bool
	left    int  // requests until it hangs up by itself; 0 for never
	closes  bool // and whether it is closed then
	calls   map[*call]bool
	carried sync.WaitGroup
}

// call is one connection between the store and the database.
type call struct {
	client, server net.Conn
	cut            atomic.Bool // nothing that the database says is carried any more
}

// openGate answers with the database's address through the gate.
func openGate(t *testing.T, database string) (*gate, string) {
	address, err := url.Parse(database)
	require.NoError(t, err)
	g := &gate{database: address.Host, open: true, calls: map[*call]bool{}}
	g.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { g.listener.Close(); g.close() })
	go func() {
		for client, err := g.listener.Accept(); err == nil; client, err = g.listener.Accept() {
			g.admit(client)
		}
	}()
	address.Host = g.listener.Addr().String()
	return g, address.String()
}

func (g *gate) admit(client net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		client.Close()
		return
	}
	server, err := net.Dial("tcp", g.database)
	if err != nil {
		client.Close()
		return
	}
	c := &call{client: client, server: server}
	g.calls[c] = true
	go g.carryRequests(c)
	g.carried.Go(func() { g.carryAnswers(c) })
}

func (g *gate) carryRequests(c *call) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := c.client.Read(buffer)
		if err != nil {
			c.server.(*net.TCPConn).CloseWrite()
			return
		}
		last := g.countRequest(c)
		c.server.Write(buffer[:n])
		if last {
			g.mu.Lock()
			g.hangUp()
			g.mu.Unlock()
		}
	}
}

// carryAnswers hangs up on the store only when the database's own process for it
// is gone, and its locks with it.
func (g *gate) carryAnswers(c *call) {
	defer c.client.Close()
	defer c.server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := c.server.Read(buffer)
		if err != nil {
			break
		}
		if !c.cut.Load() {
			c.client.Write(buffer[:n])
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.calls, c)
}

// countRequest tells whether the gate hangs up after this request, so that it is
// done and its answer lost.
func (g *gate) countRequest(c *call) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left == 0 {
		return false
	}
	g.left--
	if g.left > 0 {
		return false
	}
	c.cut.Store(true)
	g.open = !g.closes
	return true
}

// hangUp lets the database finish what it was asked, and nobody hear of it.
func (g *gate) hangUp() {
	for c := range g.calls {
		c.cut.Store(true)
		c.server.(*net.TCPConn).CloseWrite()
	}
}

func (g *gate) close() {
	g.mu.Lock()
	g.open, g.left = false, 0
	g.hangUp()
	g.mu.Unlock()
	g.carried.Wait()
}

// hangUpAfter hangs up once so many more requests were made, and stays closed or
// takes the next call.
func (g *gate) hangUpAfter(requests int, closes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left, g.closes = requests, closes
}

func (g *gate) isOpen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// isCounting reports whether the gate is about to hang up by itself.
func (g *gate) isCounting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left > 0
}

// openAgain drops the connections there were, so that none of them, nor what it
// remembers of statements, makes schedules differ.
func (w *world) openAgain() {
	w.gate.close()
	w.store.Pool().SetMaxIdleConns(-1)
	w.store.Pool().SetMaxIdleConns(2)
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.gate.open = true
}

// stopDatabase stops it now, or at a request that it does and does not answer; then
// it may be back at once.
func (s *schedule) stopDatabase(requests int, backAtOnce bool) {
	switch {
	case requests == 0:
		s.gate.close()
		s.tell("the database stops")
	case backAtOnce:
		s.tell("the database hangs up on request %d and is back at once", requests)
	default:
		s.tell("the database stops at request %d", requests)
	}
	s.gate.hangUpAfter(requests, !backAtOnce)
}

func (s *schedule) startDatabase() {
	s.openAgain()
	s.tell("the database is up")
}
