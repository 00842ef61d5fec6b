package devstack

import (
	"fmt"
	"net"
	"strconv"
)

const loopback = "127.0.0.1"

// FreePort returns a TCP port that nothing on 127.0.0.1 listens on. Another
// program may take it before the caller does; the servers of this package then
// try again with another one.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func address(port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(port))
}
