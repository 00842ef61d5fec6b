package wassenger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 1 << 20

// newTransport serves one host. HTTP/1.1 alone keeps the question whether a
// request may have been written, and whether the transport repeats it, simple.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		Protocols:           protocols,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		// Shorter than the shortest usual idle timeout of a server (5 s), so that our
		// end closes first: a request written into a connection that the server is
		// just closing has an unknown outcome.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// Room for a whole request, so that nothing of it is written before its body
		// has been read to the end: see fencedBody.
		WriteBufferSize: 64 << 10,
	}
}

// request is one call to the provider.
type request struct {
	op     string // for error texts
	method string
	path   string
	query  url.Values
	body   []byte
	// notAfter is when the body may no longer be sent; zero for no such moment.
	notAfter time.Time
	private  []string // what must not come back in an error's Message
}

type answer struct {
	status int // 2xx
	body   []byte
}

// call makes one request and returns its answer if that is 2xx and was read to
// the end. Every error is an *Error.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, &Error{Op: r.op, Class: Retry, cause: err}
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var p progress
	req, err := c.newRequest(p.watch(limited), r)
	if err != nil {
		return answer{}, &Error{Op: r.op, Class: Halted, cause: errIncomplete}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, &Error{Op: r.op, cause: tellable(err), Class: classify(outcome{
			Sought: p.sought.Load(), Connected: p.connected.Load(), Cancelled: errors.Is(ctx.Err(), context.Canceled),
		})}
	}
	defer res.Body.Close()
	body, err := readAnswer(res)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return answer{}, refusal(r.op, res, body, append(r.private, c.token))
	}
	if err != nil {
		return answer{}, &Error{Op: r.op, Class: Unknown, Status: res.StatusCode, cause: tellable(err)}
	}
	return answer{res.StatusCode, body}, nil
}

// newRequest builds a request that the transport will not repeat if it is a
// POST: net/http repeats a POST on a fresh connection only if it has GetBody (or
// no body) or an Idempotency-Key header.
func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target := c.base.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Token", c.token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "relance")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Body = fencedBody{bytes.NewReader(r.body), r.notAfter}
		req.ContentLength = int64(len(r.body))
		req.GetBody = nil
	}
	return req, nil
}

func readAnswer(res *http.Response) ([]byte, error) {
	if res.StatusCode < 200 {
		return nil, nil // the body of a protocol switch does not obey the context
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errTooLong
	}
	return body, err
}

// progress is how far a request surely or possibly came.
type progress struct {
	sought    atomic.Bool // the transport looked for a connection, so it reports to us
	connected atomic.Bool // it had one: from here on bytes may have been written
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { p.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) },
	})
}
