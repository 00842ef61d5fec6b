package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

// command runs a command line with something piped in.
func command(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	root, out := rootCommand(), &bytes.Buffer{}
	root.SetArgs(args)
	root.SetIn(strings.NewReader(input))
	root.SetOut(out)
	root.SetErr(out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestUsersAndTokensAreManagedFromTheCommandLine(t *testing.T) {
	url := testenv.Database(t, migrations.UpAt)
	t.Setenv("DATABASE_URL", url)
	s, err := store.Open(t.Context(), url, store.Options{Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	_, err = command(t, "long enough\n", "user", "create", "root@example.com", "--role", "super_admin")
	require.NoError(t, err)
	_, err = command(t, "long enough", "user", "create", "lea@example.com")
	require.NoError(t, err)
	_, err = command(t, "short\n", "user", "create", "short@example.com")
	require.ErrorContains(t, err, "the password must have 8 to 200 characters")
	_, err = command(t, "long enough\n", "user", "create", "LEA@example.com")
	require.ErrorContains(t, err, "another user has this e-mail address")
	_, err = command(t, "long enough\n", "user", "create", "owner@example.com", "--role", "owner")
	require.ErrorContains(t, err, "--role must be")

	lea, err := s.UserByPassword(t.Context(), "lea@example.com", "long enough")
	require.NoError(t, err)
	assert.Equal(t, store.Admin, lea.Role)
	token, err := command(t, "", "token", "--email", "lea@example.com")
	require.NoError(t, err)
	_, err = s.UserByToken(t.Context(), strings.TrimSpace(token))
	require.NoError(t, err)

	_, err = command(t, "another password\n", "user", "password", "lea@example.com")
	require.NoError(t, err)
	_, err = s.UserByPassword(t.Context(), "lea@example.com", "another password")
	require.NoError(t, err)
	_, err = command(t, "", "user", "disable", "lea@example.com")
	require.NoError(t, err)
	_, err = s.UserByToken(t.Context(), strings.TrimSpace(token))
	require.ErrorIs(t, err, store.ErrNotFound)

	_, err = command(t, "", "user", "disable", "root@example.com")
	require.ErrorContains(t, err, "nobody would be left who manages users")
	_, err = command(t, "", "user", "disable", "nobody@example.com")
	require.ErrorContains(t, err, "no user has this e-mail address")
	list, err := command(t, "", "user", "list")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^root@example\.com +super_admin +\d{4}-\d\d-\d\d *$`, list)
	assert.Regexp(t, `(?m)^lea@example\.com +admin +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d$`, list)
}
