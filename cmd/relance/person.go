package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/store"
)

func personCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "person", Short: "Tell what is stored about a person, or erase it"}
	cmd.AddCommand(personExportCommand(), personEraseCommand())
	return cmd
}

// personFlags say who it is about.
type personFlags struct{ phone, contact string }

func (f *personFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.phone, "phone", "", "the person's number with its country code, such as +33639980001; without it, and without --contact, it is read from standard input")
	cmd.Flags().StringVar(&f.contact, "contact", "", "the id of the person's contact")
	cmd.MarkFlagsMutuallyExclusive("phone", "contact")
}

// person reads who it is about. An argument stays in the shell's history, so a
// number may be piped in as well.
func (f *personFlags) person(cmd *cobra.Command) (store.Person, error) {
	if f.contact != "" {
		id, err := uuid.Parse(f.contact)
		if err != nil {
			return store.Person{}, fmt.Errorf("--contact must be the id of a contact, a UUID, not %q", f.contact)
		}
		return store.Person{ContactID: id}, nil
	}
	phone := f.phone
	if phone == "" {
		if file, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(file.Fd())) {
			fmt.Fprint(cmd.ErrOrStderr(), "Phone number: ")
		}
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return store.Person{}, fmt.Errorf("reading the phone number: %w", err)
		}
		phone = line
	}
	phone = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", ".", "", "(", "", ")", "", "\r", "", "\n", "").Replace(phone)
	if !internationalNumber.MatchString(phone) {
		return store.Person{}, errors.New("the phone number must begin with + and its country code, such as +33639980001")
	}
	return store.Person{Phone: phone}, nil
}

var internationalNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func personExportCommand() *cobra.Command {
	var who personFlags
	cmd := &cobra.Command{
		Use: "export", Short: "Print everything that is stored about a person, as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			person, err := who.person(cmd)
			if err != nil {
				return err
			}
			return withStore(cmd, func(s *store.Store) error {
				return audited(cmd.Context(), s, "person-export", func() (uuid.UUID, error) {
					data, err := s.PersonalData(cmd.Context(), person)
					if errors.Is(err, store.ErrNotFound) {
						return uuid.Nil, errNobody
					}
					if err != nil {
						return uuid.Nil, err
					}
					out := json.NewEncoder(cmd.OutOrStdout())
					out.SetIndent("", "  ")
					out.SetEscapeHTML(false)
					if data.Contact != nil {
						person.ContactID = data.Contact.ID
					}
					return person.ContactID, out.Encode(data)
				})
			})
		},
	}
	who.add(cmd)
	return cmd
}

func personEraseCommand() *cobra.Command {
	var who personFlags
	var yes bool
	cmd := &cobra.Command{
		Use: "erase", Short: "Erase everything that is stored about a person; this cannot be undone", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes {
				return errors.New("what is erased cannot be brought back: look at it with `relance person export`, and add --yes to erase it")
			}
			person, err := who.person(cmd)
			if err != nil {
				return err
			}
			return withStore(cmd, func(s *store.Store) error {
				return audited(cmd.Context(), s, "person-erase", func() (uuid.UUID, error) {
					erasure, _, err := s.Erase(cmd.Context(), person) // the dispatcher wakes whose workflows wait for nothing
					if errors.Is(err, store.ErrNotFound) {
						return uuid.Nil, errNobody
					}
					if err != nil {
						return uuid.Nil, err
					}
					fmt.Fprintf(cmd.OutOrStdout(), "Erased %s. Within about two minutes a worker also removes it from raw webhooks, rejected rows of imports and kept answers.\n", erasure.ContactID)
					return erasure.ContactID, forgetCached(cmd.Context())
				})
			})
		},
	}
	who.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "erase for good")
	return cmd
}

var errNobody = errors.New("nothing is stored about this person")

// audited records what the command line does to somebody's data: before it is
// tried, and what it was about afterwards.
func audited(ctx context.Context, s *store.Store, action string, do func() (uuid.UUID, error)) error {
	id, err := s.BeginAudit(ctx, uuid.Nil, action)
	if err != nil {
		return err
	}
	subject, err := do()
	switch {
	case errors.Is(err, errNobody):
		return errors.Join(err, s.ForgetAudit(ctx, id))
	case err != nil && subject == uuid.Nil:
		return err // what became of it nobody can tell, and so says the audit log
	}
	return errors.Join(err, s.FinishAudit(ctx, id, subject, map[string]any{"by": "command line"}))
}

// forgetCached makes the API's answers fresh, if there is a cache. What it held
// expires within two minutes.
func forgetCached(ctx context.Context) (err error) {
	c, err := readConfig(processEnvironment())
	if err != nil {
		return err
	}
	lists, err := cache.New(c.RedisURL, c.logger())
	if err != nil {
		return err
	}
	lists.Invalidate(ctx, cache.Contacts, cache.Categories)
	return lists.Close()
}
