package wassenger

import (
	"errors"
	"io"
	"time"
)

// errTooLate is why a request was not sent to its end.
var errTooLate = errors.New("the time to send had passed")

// fencedBody gives a request's body until a moment has passed, on the monotonic
// clock, which goes on while the process is frozen. net/http asks for the end of
// the body before it writes the last bytes to the network, so a process that
// thaws too late sends at most a request without its end, which no provider can
// accept.
type fencedBody struct {
	io.Reader
	notAfter time.Time
}

func (b fencedBody) Read(p []byte) (int, error) {
	if !b.notAfter.IsZero() && time.Now().After(b.notAfter) {
		return 0, errTooLate
	}
	return b.Reader.Read(p)
}

// Close does nothing: the bytes are in memory.
func (b fencedBody) Close() error { return nil }
