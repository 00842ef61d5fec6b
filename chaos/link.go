package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// link is a stretch of network: a port whose connections are carried on to
// another, in whatever weather. Bytes that it has lost are never made up for: it
// resets such connections when the weather clears. So no request arrives later than
// the longest delay.
type link struct {
	name    string
	address string
	target  func() string

	mu       sync.Mutex
	weather  what // or "" when it is fine
	amount   time.Duration
	listener net.Listener // nil while connections are refused
	pairs    map[*pair]struct{}
	closed   bool
	cut      int // connections that were reset
	carrying sync.WaitGroup
}

// fine is the weather in which everything arrives.
const fine what = ""

// newLink opens a port that leads to wherever target says when somebody connects.
func newLink(name string, target func() string) (*link, error) {
	l := &link{name: name, target: target, pairs: map[*pair]struct{}{}}
	if err := l.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	l.address = l.listener.Addr().String()
	return l, nil
}

// listen is called with the lock held, or by nobody else.
func (l *link) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("link from %s: %w", l.name, err)
	}
	l.listener = listener
	l.carrying.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.carrying.Go(func() { l.carry(conn.(*net.TCPConn)) })
		}
	})
	return nil
}

// set changes the weather.
func (l *link) set(weather what, amount time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.weather, l.amount = weather, amount
	if weather == refuse {
		l.listener.Close()
		l.listener = nil
		l.cutAll(func(*pair) bool { return true })
		return nil
	}
	l.cutAll((*pair).hasLost)
	if l.listener != nil || l.closed {
		return nil
	}
	return l.listenAgain()
}

// listenAgain takes the port back, which an outgoing connection may hold for a moment.
func (l *link) listenAgain() error {
	var err error
	for range 100 {
		if err = l.listen(l.address); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func (l *link) cutAll(which func(*pair) bool) {
	for p := range l.pairs {
		if which(p) {
			l.cut++
			p.reset()
		}
	}
}

// close ends everything.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	if l.listener != nil {
		l.listener.Close()
	}
	l.cutAll(func(*pair) bool { return true })
	l.mu.Unlock()
	l.carrying.Wait()
}

func (l *link) now() (what, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.weather, l.amount
}

// pair is one connection, from both ends.
type pair struct {
	near, far *net.TCPConn // far may be nil
	ended     chan struct{}
	end       sync.Once

	mu   sync.Mutex
	lost bool // bytes on their way
}

// reset ends a connection without a word of farewell.
func (p *pair) reset() {
	p.end.Do(func() {
		close(p.ended)
		for _, conn := range []*net.TCPConn{p.near, p.far} {
			if conn != nil {
				_ = conn.SetLinger(0)
				_ = conn.Close()
			}
		}
	})
}

func (p *pair) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = true
}

func (p *pair) hasLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// carry lives as long as a connection.
func (l *link) carry(near *net.TCPConn) {
	p := &pair{near: near, ended: make(chan struct{})}
	if weather, _ := l.now(); weather == swallow { // the other end never hears of it
		p.lose()
	} else {
		far, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", l.target())
		if err != nil {
			p.reset()
			return
		}
		p.far = far.(*net.TCPConn)
	}
	defer l.forget(p)
	if !l.keep(p) {
		return
	}
	if p.far == nil {
		_, _ = io.Copy(io.Discard, near)
		<-p.ended
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.pump(p, p.far, p.near, false) })
	both.Go(func() { l.pump(p, p.near, p.far, true) })
	both.Wait()
}

func (l *link) keep(p *pair) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.weather == refuse {
		return false
	}
	l.pairs[p] = struct{}{}
	return true
}

func (l *link) forget(p *pair) {
	p.reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pairs, p)
}

// pump carries bytes in one direction.
func (l *link) pump(p *pair, to, from *net.TCPConn, answers bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		arrives, alive := l.brave(p, answers)
		if !alive {
			p.reset()
			return
		}
		if arrives && n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				p.reset()
				return
			}
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			p.reset()
			return
		case arrives:
			_ = to.CloseWrite()
			return
		default: // that it was closed is lost as well
			<-p.ended
			return
		}
	}
}

// brave tells what the weather does to bytes that have come in, and waits with them
// where it delays. Where some have been lost, nothing may follow.
func (l *link) brave(p *pair, answers bool) (arrives, alive bool) {
	weather, amount := l.now()
	switch {
	case weather == swallow, weather == mute && answers:
		p.lose()
		return false, true
	case p.hasLost() && weather != mute, weather == reset && answers:
		l.mu.Lock()
		l.cut++
		l.mu.Unlock()
		return false, false
	case weather == delay:
		timer := time.NewTimer(amount)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.ended:
			return false, false
		}
	}
	return true, true
}
