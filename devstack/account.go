package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// reachable is where things go that the server's account must reach and cannot
// where they belong, such as a checkout under /root. Used only by root.
const reachable = "/var/lib/relance"

// account is whom PostgreSQL runs as when we are root, which it refuses to be.
// A nil account is our own and may enter everything that we may.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount returns nil unless we are root; then the user "postgres", or
// "nobody" where there is none.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: uid: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: gid: %w", name, err)
		}
		return &account{name, uint32(uid), uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// accountOf is whoever owns the existing data directory, so that one made by an
// ordinary user can be used by root and stays that user's.
func accountOf(dir string, otherwise *account) (*account, error) {
	if otherwise == nil {
		return nil, nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return otherwise, nil
	}
	return &account{"uid " + strconv.Itoa(int(owner.Uid)), owner.Uid, owner.Gid}, nil
}

func (a *account) credential() *syscall.Credential {
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives the file or folder to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// canEnter says whether the account may pass through dir and every folder above.
func (a *account) canEnter(dir string) bool {
	if a == nil {
		return true
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		if info, err := os.Stat(dir); err != nil || !a.mayExecute(info) {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

func (a *account) mayExecute(info fs.FileInfo) bool {
	mode := info.Mode().Perm()
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case owner.Uid == a.uid:
			return mode&0o100 != 0
		case owner.Gid == a.gid:
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}

// reachableFor is the place under /var/lib/relance that stands for path: always
// the same one, so that the next start finds it again.
func reachableFor(path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(reachable, hex.EncodeToString(sum[:6]))
}

// makeReachable makes the folder /var/lib/relance, open to every account.
func makeReachable() error {
	if err := os.MkdirAll(reachable, 0o755); err != nil {
		return err
	}
	return os.Chmod(reachable, 0o755)
}
