package devstack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const temporalPackage = "github.com/temporalio/cli/cmd/temporal"

// ErrNoTemporal says that no Temporal CLI is on this machine.
var ErrNoTemporal = errors.New("no Temporal CLI found: `make tools` builds it into .data/bin, or set TEMPORAL_CLI_PATH")

// FindTemporal returns the path of the Temporal CLI: TEMPORAL_CLI_PATH, else
// .data/bin/temporal in the checkout, else the one in PATH. The error wraps
// ErrNoTemporal.
func FindTemporal() (string, error) {
	if path := os.Getenv("TEMPORAL_CLI_PATH"); path != "" {
		if !isProgram(path) {
			return "", fmt.Errorf("TEMPORAL_CLI_PATH: %s is not a program: %w", path, ErrNoTemporal)
		}
		return path, nil
	}
	if root, err := FindRoot(); err == nil && isProgram(builtTemporal(root)) {
		return builtTemporal(root), nil
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return path, nil
	}
	return "", ErrNoTemporal
}

func builtTemporal(root string) string { return filepath.Join(root, ".data", "bin", "temporal") }

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// BuildTemporal builds the Temporal CLI that tools/go.mod of the checkout at root
// names into .data/bin/temporal, and returns that path. When this has been done
// for this tools/go.mod already it returns at once; otherwise it says on progress
// what it does, because that takes some minutes. It can be stopped and started
// again at any time, also by several processes at once.
func BuildTemporal(ctx context.Context, root string, progress io.Writer) (string, error) {
	binary := builtTemporal(root)
	recipe, err := temporalRecipe(root)
	if err != nil {
		return "", fmt.Errorf("build the Temporal CLI: %w", err)
	}
	if isBuilt(binary, recipe) {
		return binary, nil
	}
	held, err := awaitLease(ctx, binary+".lock", progress)
	if err != nil {
		return "", fmt.Errorf("build the Temporal CLI: %w", err)
	}
	defer held.release()
	if isBuilt(binary, recipe) { // by whom we waited for
		return binary, nil
	}
	fmt.Fprintln(progress, "Building the Temporal server and its Web UI from source. This takes about four minutes, the first time only.")
	begun := time.Now()
	if err := buildTemporal(ctx, root, binary, progress); err != nil {
		return "", fmt.Errorf("build the Temporal CLI: %w", err)
	}
	if err := os.WriteFile(stampOf(binary), []byte(recipe), 0o644); err != nil {
		return "", fmt.Errorf("build the Temporal CLI: %w", err)
	}
	fmt.Fprintf(progress, "Built %s in %s.\n", binary, time.Since(begun).Round(time.Second))
	return binary, nil
}

func buildTemporal(ctx context.Context, root, binary string, progress io.Writer) error {
	// A stamp left from before would vouch for the new binary.
	if err := os.Remove(stampOf(binary)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Go does not overwrite what does not look like a program.
	partial := binary + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, temporalPackage)
	build.Dir = filepath.Join(root, "tools")
	build.Env = append(os.Environ(), "GOWORK=off")
	build.Stdout, build.Stderr = progress, progress
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build %s in %s: %w", temporalPackage, build.Dir, err)
	}
	return os.Rename(partial, binary)
}

// temporalRecipe is a fingerprint of everything that decides what is built.
func temporalRecipe(root string) (string, error) {
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, "tools", name))
		if err != nil {
			return "", err
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)) + "\n", nil
}

func stampOf(binary string) string { return binary + ".stamp" }

func isBuilt(binary, recipe string) bool {
	stamp, err := os.ReadFile(stampOf(binary))
	return err == nil && bytes.Equal(stamp, []byte(recipe)) && isProgram(binary)
}

// awaitLease waits for the lease until ctx ends.
func awaitLease(ctx context.Context, path string, progress io.Writer) (*lease, error) {
	told := false
	for {
		held, err := takeLease(path)
		if err == nil || !errors.Is(err, errLeased) {
			return held, err
		}
		if !told {
			fmt.Fprintln(progress, "Waiting for another build of the Temporal server to finish.")
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
