// Command prepare installs and checks what package devstack starts, so that a
// first `relance dev` or `go test` finds everything in place. `make tools` runs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/relance/relance/devstack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := prepare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "prepare:", err)
		os.Exit(1)
	}
}

func prepare(ctx context.Context) error {
	root, err := devstack.FindRoot()
	if err != nil {
		return err
	}
	dir, version, err := devstack.FindPostgres("")
	if err != nil {
		return err
	}
	fmt.Printf("PostgreSQL %s in %s\n", version, dir)
	temporal, err := devstack.BuildTemporal(ctx, root, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("Temporal CLI in %s\n", temporal)
	return nil
}
