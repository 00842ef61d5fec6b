package main

import (
	"bufio"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo answers every line with the same, and tells of each.
func echo(t *testing.T) (address string, heard <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	lines := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					lines <- line
					_, _ = io.WriteString(conn, line)
				}
			}()
		}
	}()
	return listener.Addr().String(), lines
}

func linkTo(t *testing.T, address string) *link {
	t.Helper()
	l, err := newLink("here to there", func() string { return address })
	require.NoError(t, err)
	t.Cleanup(l.close)
	return l
}

func connect(t *testing.T, l *link) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.WriteString(conn, "hello\n")
	require.NoError(t, err)
}

func requireAnswer(t *testing.T, conn net.Conn) {
	t.Helper()
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
}

// requireCut waits for the connection's end, and that nothing comes before it.
func requireCut(t *testing.T, conn net.Conn) {
	t.Helper()
	n, err := conn.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestALinkCarriesBothWays(t *testing.T) {
	address, _ := echo(t)
	conn := connect(t, linkTo(t, address))
	for range 3 {
		say(t, conn)
		requireAnswer(t, conn)
	}
}

func TestALinkThatRefusesCutsOffAndLetsNobodyInUntilItClears(t *testing.T) {
	address, _ := echo(t)
	l := linkTo(t, address)
	conn := connect(t, l)
	say(t, conn)
	requireAnswer(t, conn)
	require.NoError(t, l.set(refuse, 0))
	requireCut(t, conn)
	_, err := net.Dial("tcp", l.address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, l.set(fine, 0))
	conn = connect(t, l)
	say(t, conn)
	requireAnswer(t, conn)
}

func TestALinkThatResetsDoesSoOnceTheRequestHasArrived(t *testing.T) {
	address, heard := echo(t)
	l := linkTo(t, address)
	require.NoError(t, l.set(reset, 0))
	conn := connect(t, l)
	say(t, conn)
	assert.Equal(t, "hello\n", <-heard)
	requireCut(t, conn)
}

func TestAMuteLinkLosesAnswersAndIsCutWhenItClears(t *testing.T) {
	address, heard := echo(t)
	l := linkTo(t, address)
	conn := connect(t, l)
	require.NoError(t, l.set(mute, 0))
	say(t, conn)
	say(t, conn)
	<-heard
	<-heard
	require.Eventually(t, func() bool { // the answer is on its way
		l.mu.Lock()
		defer l.mu.Unlock()
		for p := range l.pairs {
			return p.hasLost()
		}
		return false
	}, time.Minute, time.Millisecond)
	require.NoError(t, l.set(fine, 0))
	requireCut(t, conn)
}

// What a link has swallowed must never arrive: a request that came late might be one
// whose sender has long concluded that it never left.
func TestWhatALinkSwallowsNeverArrives(t *testing.T) {
	address, heard := echo(t)
	l := linkTo(t, address)
	before := connect(t, l)
	say(t, before)
	requireAnswer(t, before)
	<-heard
	require.NoError(t, l.set(swallow, 0))
	say(t, before)
	during := connect(t, l)
	say(t, during)
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		lost := 0
		for p := range l.pairs {
			if p.hasLost() {
				lost++
			}
		}
		return lost == 2
	}, time.Minute, time.Millisecond)
	require.NoError(t, l.set(fine, 0))
	requireCut(t, before)
	requireCut(t, during)
	assert.Empty(t, heard)
}

func TestALinkThatDelaysDoesSoBothWays(t *testing.T) {
	address, _ := echo(t)
	l := linkTo(t, address)
	require.NoError(t, l.set(delay, 20*time.Millisecond))
	conn := connect(t, l)
	begun := time.Now()
	say(t, conn)
	requireAnswer(t, conn)
	assert.GreaterOrEqual(t, time.Since(begun), 40*time.Millisecond)
}
