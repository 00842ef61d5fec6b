package devstack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

const loopback = "127.0.0.1"

// Free ports lie below those that systems give to outgoing connections (from 32768
// on Linux), which could hold the port of a server that is stopped until it is
// started again.
const (
	lowestPort  = 15_000
	highestPort = 32_000
)

// FreePort returns a TCP port that nothing on 127.0.0.1 listens on. Another
// program may take it before the caller does; the servers of this package then
// try again with another one.
func FreePort() (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		listener, err := net.Listen("tcp", address(port))
		if err == nil {
			return port, listener.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

func address(port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(port))
}

// whilePortsAreTaken attempts to start a server again for a while: a port given by
// number may still be held by a server that is just dying, and another program may
// take one that was free before it is used.
func whilePortsAreTaken(ctx context.Context, attempt func(context.Context) error) error {
	begun := time.Now()
	var last error
	for {
		err := attempt(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(err, last)
		case !errors.Is(err, errPortTaken), time.Since(begun) > portPatience:
			return err
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
