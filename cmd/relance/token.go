package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/relance/relance/store"
)

func tokenCommand() *cobra.Command {
	var email, name string
	cmd := &cobra.Command{
		Use: "token", Short: "Make an API token for a user; it is shown once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(s *store.Store) error {
				user, err := s.UserByEmail(cmd.Context(), email)
				if errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("no user has the e-mail address given with --email")
				}
				if err != nil {
					return err
				}
				_, token, err := s.CreateToken(cmd.Context(), user.ID, name)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "the user that the token acts for")
	cmd.Flags().StringVar(&name, "name", "command line", "what the token is for, for the list of tokens")
	if err := cmd.MarkFlagRequired("email"); err != nil {
		panic(err) // the flag was defined two lines above
	}
	return cmd
}
