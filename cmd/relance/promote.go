package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func promoteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "promote",
		Short: "Let this build's workers take every campaign that begins from now on",
		Long: `With TEMPORAL_DEPLOYMENT_NAME set, a campaign stays with the build of the workers that
it began with. Start this build's workers beside the old ones, promote it, and stop the
old ones when their campaigns have ended: after 72 hours at the latest.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(processEnvironment())
			if err != nil {
				return err
			}
			deployment := c.deployment()
			if deployment.Name == "" {
				return errors.New("TEMPORAL_DEPLOYMENT_NAME is missing: without it workers have no versions, and any takes any task")
			}
			t, _, err := dialTemporal(cmd.Context())
			if err != nil {
				return err
			}
			defer t.Close()
			if err := deployment.Promote(cmd.Context(), t); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Build %s takes what begins from now on.\n", deployment.BuildID)
			return nil
		},
	}
}
