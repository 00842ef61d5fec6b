package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database to this binary's schema", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(processEnvironment(), needDatabase)
			if err != nil {
				return err
			}
			version, err := migrate(cmd.Context(), c.DatabaseURL)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The database has schema version %d.\n", version)
			return err
		},
	}
}

func migrate(ctx context.Context, url string) (int64, error) {
	db, err := store.Connect(url, 2)
	if err != nil {
		return 0, err
	}
	version, err := migrations.Up(ctx, db)
	return version, errors.Join(err, db.Close())
}
