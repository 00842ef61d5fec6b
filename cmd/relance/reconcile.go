package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/relance/relance/reconcile"
)

func reconcileCommand() *cobra.Command {
	var rebuild, apply, asJSON, withoutReplies bool
	var back time.Duration
	var rate int
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Make database, provider and Temporal agree after one of them has lost something",
		Long: `Compares the database with what the provider lists (which messages have left, what
people have written) and with what Temporal runs, and says how they differ. It
changes nothing without --apply.

After an older database was restored: run it with --apply before anything else. It
records what has left and what was replied since the database's moment, ends what
Temporal runs of campaigns that the database does not have, and starts what is
missing. While it does so, nothing is sent; in a database that was recovered to a
moment, nothing is sent before either.

After Temporal has lost its data: --rebuild --apply starts the workflows of all that
the database says is under way, and asks the provider nothing. Workers may run.

It may be repeated, and goes on where it was interrupted. It ends with 0 only if
nothing remains to be done.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rate < 1 {
				return fmt.Errorf("--rate must be at least 1, not %d", rate)
			}
			if back < 0 {
				return fmt.Errorf("--back must not be negative, as %s is", back)
			}
			return withReconciler(cmd.Context(), func(ctx context.Context, r *reconcile.Reconciler) error {
				r.Apply, r.WithoutReplies, r.Back, r.Rate = apply, withoutReplies, back, rate
				r.Told = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
				run := r.Run
				if rebuild {
					run = r.Rebuild
				}
				report, err := run(ctx)
				if asJSON {
					encoder := json.NewEncoder(cmd.OutOrStdout())
					encoder.SetIndent("", "  ")
					err = errors.Join(err, encoder.Encode(report))
				} else {
					report.Print(cmd.OutOrStdout())
				}
				if err == nil && len(report.Remains) > 0 {
					err = errors.New("something remains to be done")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&apply, "apply", false, "settle what is found")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "only make Temporal run what it should")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.Flags().BoolVar(&withoutReplies, "without-replies", false, "do without the replies of the lost time: where the provider cannot list them")
	cmd.Flags().DurationVar(&back, "back", 0, "ask the provider for so much longer than seems needed, such as 72h")
	cmd.Flags().IntVar(&rate, "rate", 100, "start so many workflows a second at most")
	return cmd
}

// withReconciler wires a reconciler from the environment.
func withReconciler(ctx context.Context, use func(context.Context, *reconcile.Reconciler) error) (err error) {
	c, err := readConfig(processEnvironment(), needDatabase, needProvider)
	if err != nil {
		return err
	}
	temporal, err := temporalOptions()
	if err != nil {
		return err
	}
	if err := schemaIsCurrent(ctx, c); err != nil {
		return err
	}
	s, err := openServices(ctx, c, temporal, slog.New(slog.DiscardHandler)) // the report tells everything
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	provider, err := s.provider()
	if err != nil {
		return err
	}
	return use(ctx, &reconcile.Reconciler{
		Store: s.store, Provider: provider, Engine: s.engine, Namespace: s.namespace, SendTimeout: providerTimeout,
	})
}
