package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
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
			options, err := temporalOptions()
			if err != nil {
				return err
			}
			options.Logger = quiet{}
			t, err := client.DialContext(cmd.Context(), options)
			if err != nil {
				return fmt.Errorf("reaching Temporal at TEMPORAL_ADDRESS: %w", err)
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
