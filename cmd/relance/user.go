package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/relance/relance/store"
)

func userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Manage who may use Relance"}
	cmd.AddCommand(userListCommand(), userCreateCommand(), userPasswordCommand(), userDisableCommand())
	return cmd
}

// withStore runs a command that needs the database and nothing else.
func withStore(cmd *cobra.Command, run func(*store.Store) error) (err error) {
	c, err := readConfig(processEnvironment(), needDatabase)
	if err != nil {
		return err
	}
	if err := schemaIsCurrent(cmd.Context(), c); err != nil {
		return err
	}
	s, err := store.Open(cmd.Context(), c.DatabaseURL, store.Options{MaxConnections: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return run(s)
}

func userListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List users", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(s *store.Store) error {
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(table, "E-MAIL\tROLE\tSINCE\tDISABLED")
				page := store.Page{Limit: 100}
				for {
					found, err := s.Users(cmd.Context(), page)
					if err != nil {
						return err
					}
					for _, u := range found.Users {
						disabled := ""
						if u.DisabledAt != nil {
							disabled = u.DisabledAt.UTC().Format(time.DateOnly)
						}
						fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.Email, u.Role, u.CreatedAt.UTC().Format(time.DateOnly), disabled)
					}
					if page.After = found.Next; page.After == nil {
						return table.Flush()
					}
				}
			})
		},
	}
}

func userCreateCommand() *cobra.Command {
	role := string(store.Admin)
	cmd := &cobra.Command{
		Use: "create <e-mail>", Short: "Create a user; the password is asked for, or read from standard input", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if role != string(store.Admin) && role != string(store.SuperAdmin) {
				return fmt.Errorf("--role must be %s or %s, not %q", store.Admin, store.SuperAdmin, role)
			}
			return withStore(cmd, func(s *store.Store) error {
				password, err := readPassword(cmd)
				if err != nil {
					return err
				}
				_, err = s.CreateUser(cmd.Context(), args[0], password, store.Role(role))
				if errors.Is(err, store.ErrDuplicateEmail) {
					return errors.New("another user has this e-mail address")
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", role, "admin, or super_admin, who manages users")
	return cmd
}

func userPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "password <e-mail>", Short: "Set a user's password, asked for or read from standard input; ends the user's sessions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(s *store.Store) error {
				password, err := readPassword(cmd)
				if err != nil {
					return err
				}
				return changeUser(cmd, s, args[0], store.UserChange{Password: &password})
			})
		},
	}
}

func userDisableCommand() *cobra.Command {
	return &cobra.Command{
		Use: "disable <e-mail>", Short: "Let a user do nothing any more: no login, no session, no API token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(s *store.Store) error {
				yes := true
				return changeUser(cmd, s, args[0], store.UserChange{Disabled: &yes})
			})
		},
	}
}

func changeUser(cmd *cobra.Command, s *store.Store, email string, change store.UserChange) error {
	user, err := s.UserByEmail(cmd.Context(), email)
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("no user has this e-mail address")
	}
	if err != nil {
		return err
	}
	_, err = s.ChangeUser(cmd.Context(), user.ID, change)
	if errors.Is(err, store.ErrLastSuperAdmin) {
		return errors.New("nobody would be left who manages users: create another super_admin first")
	}
	return err
}

// readPassword asks for a password without showing it, or reads one line of what
// is piped in. An argument would be in the shell's history.
func readPassword(cmd *cobra.Command) (string, error) {
	password := ""
	if file, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
		typed, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		password = string(typed)
	} else {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		password = strings.TrimRight(line, "\r\n")
	}
	if err := store.CheckPassword(password); err != nil {
		return "", fmt.Errorf("the password %w", err)
	}
	return password, nil
}
