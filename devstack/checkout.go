package devstack

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const modulePath = "github.com/relance/relance"

// ErrNoCheckout says that neither the working directory nor the program lies
// inside a checkout of Relance.
var ErrNoCheckout = errors.New("not inside a checkout of " + modulePath)

// FindRoot returns the top folder of the checkout: it looks upward from the
// working directory, so that tests of any package find it, then from the running
// program, so that bin/relance can be started from anywhere. The error is
// ErrNoCheckout.
func FindRoot() (string, error) {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if program, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(program))
	}
	for _, dir := range starts {
		for {
			if isRoot(dir) {
				return dir, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return "", ErrNoCheckout
}

// isRoot looks at the module line because tools/ has a go.mod of its own.
func isRoot(dir string) bool {
	file, err := os.Open(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if module, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(module) == modulePath
		}
	}
	return false
}
