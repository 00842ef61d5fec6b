package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// lease is the sole right to run a server on some files. The kernel takes it
// back when its holder dies, so it is never stale.
type lease struct{ file *os.File }

// errLeased says that another process holds the lease.
var errLeased = errors.New("in use by another process")

// takeLease takes the lease kept in the file at path, or fails at once with
// errLeased and the holder's process id.
func takeLease(path string) (*lease, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("take the lease %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("take the lease %s: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			holder, _ := io.ReadAll(io.LimitReader(file, 20))
			return nil, fmt.Errorf("%s: %w (pid %s)", path, errLeased, bytes.TrimSpace(holder))
		}
		return nil, fmt.Errorf("take the lease %s: %w", path, err)
	}
	// For the reader of the message above; the lock itself is what counts.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &lease{file}, nil
}

// release gives the lease back. The file stays: removing it would let two
// processes hold leases on two files of one name.
func (l *lease) release() {
	if l != nil {
		l.file.Close()
	}
}
