package wassenger

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// The provider asks for about a minute after 429.
	pauseAfter429 = time.Minute
	// A longer Retry-After is taken for nonsense and cut.
	maxRetryAfter = 24 * time.Hour
)

// These are the causes of errors that have none in the network.
var (
	errIncomplete = errors.New("the request is incomplete")
	errUnreadable = errors.New("the answer cannot be read")
	errUnfiltered = errors.New("the answer lists other messages than asked for")
	errEndless    = errors.New("the list does not end")
	errTooLong    = errors.New("the answer is longer than 1 MiB")
	errConnection = errors.New("the connection failed")
)

// refusal turns an answer other than 2xx into an error. The body may be JSON,
// HTML of a proxy, or anything.
func refusal(op string, res *http.Response, body []byte, private []string) *Error {
	var b struct {
		Message   text  `json:"message"`
		Error     text  `json:"error"`
		ErrorCode text  `json:"errorCode"`
		Code      text  `json:"code"`
		Exists    *bool `json:"exists"`
	}
	if decode(body, &b) != nil {
		b.Message, b.Error, b.ErrorCode, b.Code, b.Exists = "", "", "", "", nil
	}
	e := &Error{Op: op, Status: res.StatusCode, Code: tellableCode(b.ErrorCode, b.Code)}
	e.Message = redact(string(firstText(b.Message, b.Error)), private)
	e.Class = classify(outcome{Status: e.Status, Code: e.Code})
	e.RetryAfter = retryAfter(res.Header.Get("Retry-After"), time.Now())
	if e.Status == http.StatusTooManyRequests && e.RetryAfter == 0 {
		e.RetryAfter = pauseAfter429
	}
	notOnWhatsApp := e.Status == http.StatusNotFound && b.Exists != nil && !*b.Exists
	e.InvalidNumber = e.Class == Rejected && (strings.HasPrefix(e.Code, "phone:") || notOnWhatsApp)
	return e
}

// retryAfter reads both forms of the header, seconds and an HTTP date; zero
// means that it says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// tellableCode is the first of the codes that looks like one: short, of the
// characters that codes have, and without a long number in it.
func tellableCode(codes ...text) string {
	for _, code := range codes {
		c := string(code)
		if c != "" && len(c) <= 64 && isCode(c) && blotNumbers(c) == c {
			return c
		}
	}
	return ""
}

func isCode(s string) bool {
	for _, r := range s {
		letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (r < '0' || r > '9') && !strings.ContainsRune(":_-.", r) {
			return false
		}
	}
	return true
}

const maxMessage = 300

func redact(message string, private []string) string {
	for _, p := range private {
		if p != "" {
			message = strings.ReplaceAll(message, p, "…")
		}
	}
	return bounded(blotNumbers(message), maxMessage)
}

// longNumber matches six digits or more, however they are spaced.
var longNumber = regexp.MustCompile(`[0-9](?:[-\s\x{a0}.()/]*[0-9]){5,}`)

func blotNumbers(s string) string { return longNumber.ReplaceAllLiteralString(s, "…") }

// tellable reduces a failure of the network to what can be told: error texts of
// net/http may quote the URL or pieces of what a server answered.
func tellable(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return op
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificate
	}
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, errTooLong, errTooLate,
		io.ErrUnexpectedEOF, io.EOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return context.DeadlineExceeded
	}
	return errConnection
}
