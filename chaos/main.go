// Command chaos runs Relance, its servers and a simulated provider as processes of
// their own, breaks them and the links between them at random while campaigns run,
// lets everything heal, and holds what Relance did and recorded against the provider's
// ledger: docs/reliability.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/relance/relance/devstack"
)

func main() {
	if played, err := playRole(); played {
		if err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
			os.Exit(1)
		}
		return
	}
	var seed uint64
	var seeds int
	var length time.Duration
	var onlyPlan bool
	flag.Uint64Var(&seed, "seed", 1, "what everything follows from")
	flag.IntVar(&seeds, "seeds", 1, "how many seeds, from the first one up")
	flag.DurationVar(&length, "duration", 2*time.Minute, "how long things are broken, for each seed")
	flag.BoolVar(&onlyPlan, "plan", false, "print what would be done, and do nothing")
	flag.Parse()
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	if err := breakAll(ctx, seed, seeds, length, onlyPlan); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		done()
		os.Exit(1) //nolint:gocritic // done has just been called
	}
}

// errBroken says that a promise was broken.
var errBroken = errors.New("Relance did not keep what it promises")

func breakAll(ctx context.Context, seed uint64, seeds int, length time.Duration, onlyPlan bool) error {
	if length < 10*time.Second {
		return fmt.Errorf("-duration must be at least 10s, not %s", length)
	}
	folder, err := os.MkdirTemp("", "relance-chaos-")
	if err != nil {
		return err
	}
	binary := ""
	if !onlyPlan {
		if binary, err = devstack.BuildRelance(ctx, folder); err != nil {
			return err
		}
	}
	var all sum
	for n := seed; n < seed+uint64(seeds); n++ { //nolint:gosec // a number of seeds
		p := newPlan(n, length)
		fmt.Print(p)
		if onlyPlan {
			continue
		}
		logs := filepath.Join(folder, fmt.Sprintf("seed-%d", n))
		found, err := breakOnce(ctx, p, binary, logs)
		if err != nil {
			return fmt.Errorf("seed %d could not be carried out (logs are in %s): %w", n, logs, err)
		}
		fmt.Print(found)
		all.add(found)
		if len(found.violations) > 0 {
			fmt.Printf("  logs, ledger and rows are in %s\n", logs)
		} else if err := os.RemoveAll(logs); err != nil {
			return err
		}
	}
	if onlyPlan {
		return os.RemoveAll(folder)
	}
	fmt.Print(all)
	if all.violations > 0 {
		return errBroken
	}
	return os.RemoveAll(folder)
}

// breakOnce lives through one seed.
func breakOnce(ctx context.Context, p plan, binary, logs string) (f finding, err error) {
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return f, err
	}
	begun := time.Now()
	w, err := newWorld(ctx, p, binary, logs)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := &run{world: w}
	unrest, err := r.live(ctx)
	if err != nil {
		return f, err
	}
	e, err := r.gather(ctx)
	if err != nil {
		return f, err
	}
	f = r.find(judge(e), unrest, time.Since(begun))
	if len(f.violations) > 0 {
		err = r.keep(ctx, e)
	}
	return f, err
}
