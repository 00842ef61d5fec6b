package wassenger

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire is a provider on a bare listener that counts the requests reaching it.
type wire struct {
	url         string
	requests    atomic.Int32
	connections atomic.Int32
}

// listen lets handle do as it likes with each connection, after every whole
// request read from it, until it returns false.
func listen(t *testing.T, handle func(n int32, c net.Conn) bool) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	w := &wire{url: "http://" + listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.connections.Add(1)
			go w.serve(conn, handle)
		}
	}()
	return w
}

func (w *wire) serve(conn net.Conn, handle func(int32, net.Conn) bool) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if !handle(w.requests.Add(1), conn) {
			return
		}
	}
}

const kept = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n" + `{"id":"1"}`

func TestASendWhoseConnectionBreaksIsUnknownAndNotRepeated(t *testing.T) {
	for name, part := range map[string]func(net.Conn){
		"closed": func(net.Conn) {},
		"reset":  func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t, func(_ int32, c net.Conn) bool { part(c); return false })
			_, err := newClient(t, w.url).Send(t.Context(), outgoing)
			refused(t, err, Unknown)
			assert.EqualValues(t, 1, w.requests.Load())
		})
	}
}

// net/http repeats a request by itself when a connection that it had kept
// breaks. The look-up shows that it does; the send, that we have kept it from it.
func TestASendOnAKeptConnectionThatBreaksIsNotRepeatedByTheTransport(t *testing.T) {
	for name, part := range map[string]func(net.Conn){
		"closed": func(net.Conn) {},
		"reset":  func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
	} {
		t.Run(name, func(t *testing.T) {
			breakSecond := func(n int32, c net.Conn) bool {
				if n >= 2 {
					part(c)
					return false
				}
				_, err := io.WriteString(c, kept)
				return err == nil
			}

			sent := listen(t, breakSecond)
			client := newClient(t, sent.url)
			_, err := client.Send(t.Context(), outgoing)
			require.NoError(t, err)
			_, err = client.Send(t.Context(), outgoing)
			refused(t, err, Unknown)
			assert.EqualValues(t, 2, sent.requests.Load(), "requests")
			assert.EqualValues(t, 1, sent.connections.Load(), "connections")

			lookedUp := listen(t, breakSecond)
			client = newClient(t, lookedUp.url)
			_, err = client.Send(t.Context(), outgoing)
			require.NoError(t, err)
			_, _, err = client.FindByReference(t.Context(), reference)
			refused(t, err, Unknown)
			assert.EqualValues(t, 3, lookedUp.requests.Load(), "requests")
		})
	}
}

func TestASendRequestCarriesNothingThatAllowsTheTransportToRepeatIt(t *testing.T) {
	client := newClient(t, "http://provider.invalid")
	req, err := client.newRequest(t.Context(), request{method: http.MethodPost, path: "messages", body: []byte("{}")})
	require.NoError(t, err)
	assert.Nil(t, req.GetBody)
	assert.NotNil(t, req.Body)
	assert.Empty(t, req.Header.Get("Idempotency-Key"))
	assert.Empty(t, req.Header.Get("X-Idempotency-Key"))
}

func TestAnAnswerThatIsNoHTTPIsUnknownAndIsNotQuoted(t *testing.T) {
	for name, answer := range map[string]string{
		"no status line": "Bonjour +33639981122 " + secretToken + "\r\n\r\n",
		"bad header":     "HTTP/1.1 200 OK\r\nBonjour " + secretToken + "\r\n\r\n",
		"bad length":     "HTTP/1.1 200 OK\r\nContent-Length: Bonjour\r\n\r\n",
		"bad chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nBonjour\r\n",
		"bad gzip":       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nBonjour",
		"switch":         "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: bonjour\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t, func(_ int32, c net.Conn) bool {
				_, _ = io.WriteString(c, answer)
				return name == "switch"
			})
			_, err := newClient(t, w.url).Send(t.Context(), outgoing)
			refused(t, err, Unknown)
			assert.EqualValues(t, 1, w.requests.Load())
		})
	}
}

func TestASendThatTakesTooLongIsUnknown(t *testing.T) {
	for name, head := range map[string]string{
		"no answer": "", "half an answer": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w wire
				client := dialing(t, func(context.Context) (net.Conn, error) {
					here, there := net.Pipe()
					go w.serve(there, func(_ int32, c net.Conn) bool {
						_, err := io.WriteString(c, head)
						return err == nil
					})
					return here, nil
				})
				start := time.Now()
				_, err := client.Send(t.Context(), outgoing)
				assert.ErrorIs(t, refused(t, err, Unknown), context.DeadlineExceeded)
				assert.Equal(t, DefaultTimeout, time.Since(start))
				assert.EqualValues(t, 1, w.requests.Load())
			})
		})
	}
}

func TestASendCancelledWhileTheProviderThinksIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := listen(t, func(int32, net.Conn) bool { cancel(); return true })
	_, err := newClient(t, w.url).Send(ctx, outgoing)
	assert.ErrorIs(t, refused(t, err, Unknown), context.Canceled)
}

func TestWithoutAConnectionTheProviderIsDown(t *testing.T) {
	t.Run("connection refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := listener.Addr().String()
		require.NoError(t, listener.Close())
		_, err = newClient(t, "http://"+address).Send(t.Context(), outgoing)
		assert.Contains(t, refused(t, err, Down).Error(), "connection refused")
	})
	t.Run("certificate of nobody", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		_, err := newClient(t, server.URL).Send(t.Context(), outgoing)
		assert.Contains(t, refused(t, err, Down).Error(), "certificate")
	})
	t.Run("no TLS there", func(t *testing.T) {
		w := listen(t, func(int32, net.Conn) bool { return false })
		_, err := newClient(t, "https"+w.url[len("http"):]).Send(t.Context(), outgoing)
		refused(t, err, Down)
		assert.Zero(t, w.requests.Load())
	})
	t.Run("no such name", func(t *testing.T) {
		_, err := dialing(t, func(context.Context) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "provider.invalid", IsNotFound: true}
		}).Send(t.Context(), outgoing)
		refused(t, err, Down)
	})
	t.Run("no answer to dialling", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := dialing(t, func(ctx context.Context) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}).Send(t.Context(), outgoing)
			assert.ErrorIs(t, refused(t, err, Down), context.DeadlineExceeded)
		})
	})
}

func TestASendCancelledWhileDiallingHasNotLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := dialing(t, func(ctx context.Context) (net.Conn, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	_, err := client.Send(ctx, outgoing)
	assert.ErrorIs(t, refused(t, err, Retry), context.Canceled)
}

// dialing returns a client that dials in this way.
func dialing(t *testing.T, dial func(context.Context) (net.Conn, error)) *Client {
	t.Helper()
	transport := newTransport()
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	return newClient(t, "http://provider.invalid", func(o *Options) { o.HTTPClient = &http.Client{Transport: transport} })
}

type silent struct{}

func (silent) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("Bonjour") }

func TestATransportThatDoesNotReportMayHaveSent(t *testing.T) {
	_, err := newClient(t, "http://provider.invalid", func(o *Options) {
		o.HTTPClient = &http.Client{Transport: silent{}}
	}).Send(t.Context(), outgoing)
	refused(t, err, Unknown)
}
