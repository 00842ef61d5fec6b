package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/worker"
)

func replayCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "replay",
		Short: "Find out, before deploying, whether this build can go on with what runs",
		Long: `Downloads the history of every workflow that runs on the Temporal server now and runs
it again with this build. It changes nothing there. It ends with 0 only if this build
comes to the same commands in every one of them, so that deploying it is safe.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			codec, err := temporalCodec()
			if err != nil {
				return err
			}
			c, namespace, err := dialTemporal(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return replay(cmd.Context(), c, namespace, codec, cmd.OutOrStdout())
		},
	}
}

// replay prints each run that this build cannot go on with, and how many it can.
func replay(ctx context.Context, c client.Client, namespace string, codec *worker.Codec, out io.Writer) error {
	good, bad := map[string]int{}, map[string]int{}
	err := worker.Replay(ctx, c, namespace, codec, func(r worker.Replayed) {
		if r.Err == nil {
			good[r.Type]++
			return
		}
		bad[r.Type]++
		fmt.Fprintf(out, "%s (run %s): %v\n", r.WorkflowID, r.RunID, r.Err)
	})
	failed := 0
	types := maps.Clone(good)
	maps.Copy(types, bad)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		fmt.Fprintf(out, "%-14s %d replay, %d do not\n", name, good[name], bad[name])
		failed += bad[name]
	}
	switch {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("%d of the running workflows would get stuck with this build: deploy it beside the old one (see docs/operations.md, Upgrade) or mend it", failed)
	case len(types) == 0:
		fmt.Fprintln(out, "Nothing runs.")
	}
	return nil
}
