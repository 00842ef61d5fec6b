// Command relance is Relance in one binary: the API, the worker, the database
// migrations, and a development stack that needs nothing but this.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // SEND_HOURS names a time zone, and not every image knows them

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "relance:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has just been called
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "relance",
		Short:         "Two-step WhatsApp campaigns that survive anything",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(devCommand(), apiCommand(), workerCommand(), serveCommand(), migrateCommand(), userCommand(), tokenCommand(), webhookCommand(), replayCommand(), promoteCommand(), rehearseCommand())
	root.AddCommand(temporalCommand(), doctorCommand())
	return root
}
