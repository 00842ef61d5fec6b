package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const scratchPrefix = "relance-scratch-"

// Scratch is a temporary folder for servers whose data nobody will miss.
type Scratch struct {
	dir   string
	lease *lease
}

// NewScratch makes one. The account that PostgreSQL runs as can enter it, which
// t.TempDir and a private TMPDIR do not give when root runs the tests. What
// processes that were killed left behind is removed on the way.
func NewScratch() (*Scratch, error) {
	place, err := scratchPlace()
	if err != nil {
		return nil, err
	}
	sweep(place)
	dir, err := os.MkdirTemp(place, scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder for servers: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a temporary folder for servers: %w", err)
	}
	held, err := takeLease(scratchLease(dir))
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder for servers: %w", err)
	}
	return &Scratch{dir, held}, nil
}

// Path is a path inside the folder.
func (s *Scratch) Path(name string) string { return filepath.Join(s.dir, name) }

// Remove removes the folder. The servers in it must have stopped.
func (s *Scratch) Remove() error {
	defer s.lease.release()
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove a temporary folder for servers: %w", err)
	}
	return nil
}

func scratchLease(dir string) string { return filepath.Join(dir, "lock") }

func scratchPlace() (string, error) {
	runAs, err := serverAccount()
	if err != nil {
		return "", err
	}
	places := slices.Compact([]string{os.TempDir(), "/tmp", "/var/tmp"})
	for _, place := range places {
		if runAs.canEnter(place) {
			return place, nil
		}
	}
	return "", fmt.Errorf("user %s, whom PostgreSQL runs as, can enter none of %v", runAs.name, places)
}

// sweep removes the folders whose processes are dead.
func sweep(place string) {
	dirs, _ := filepath.Glob(filepath.Join(place, scratchPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		// Anyone can make a folder in /tmp, and put a link to any file in it.
		if err != nil || !info.IsDir() || !isOurs(info) {
			continue
		}
		if _, err := os.Lstat(scratchLease(dir)); errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) < time.Hour {
			continue // perhaps just being made
		}
		if held, err := takeLease(scratchLease(dir)); err == nil {
			_ = os.RemoveAll(dir)
			held.release()
		}
	}
}

func isOurs(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}
