package store_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

const password = "correct horse battery"

func TestOnlyAnEmptyDatabaseIsBootstrappedAndOnlyOnce(t *testing.T) {
	b := open(t)
	var created atomic.Int64
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			did, err := b.Bootstrap(context.Background(), "admin@example.com", password, "a-token-of-their-own")
			assert.NoError(t, err)
			if did {
				created.Add(1)
			}
		})
	}
	starting.Wait()
	assert.EqualValues(t, 1, created.Load())

	user, err := b.UserByToken(t.Context(), "a-token-of-their-own")
	require.NoError(t, err)
	assert.Equal(t, store.SuperAdmin, user.Role)
	again, err := b.Bootstrap(t.Context(), "other@example.com", "x", "")
	assert.NoError(t, err, "nothing is checked once there are users")
	assert.False(t, again)
}

func TestTheFirstUserNeedsAnAddressAPasswordAndAGoodToken(t *testing.T) {
	b := open(t)
	for _, c := range [][3]string{
		{"nobody", password, ""}, {"", password, ""}, {"A <a@example.com>", password, ""},
		{"a@example.com", "short", ""}, {"a@example.com", "", ""}, {"a@example.com", strings.Repeat("x", 201), ""},
		{"a@example.com", password, "short"},
	} {
		_, err := b.Bootstrap(t.Context(), c[0], c[1], c[2])
		assert.Error(t, err, c)
	}
	assert.Zero(t, one[int](b, `SELECT count(*) FROM users`))
}

func TestNothingThatOpensADoorIsStored(t *testing.T) {
	b := open(t)
	user, err := b.CreateUser(t.Context(), " Admin@Example.com ", password, store.Admin)
	require.NoError(t, err)
	assert.Equal(t, "Admin@Example.com", user.Email)
	_, token, err := b.CreateToken(t.Context(), user.ID, "test")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(token, "rel_"))
	assert.Len(t, token, 4+43)
	session, _, err := b.CreateSession(t.Context(), user, "")
	require.NoError(t, err)

	stored := one[string](b, `SELECT (SELECT string_agg(u::text, '') FROM users u) || (SELECT string_agg(t::text, '') FROM api_tokens t)
		|| (SELECT string_agg(s::text, '') FROM sessions s)`)
	for _, secret := range []string{password, token, token[4:], session} {
		assert.NotContains(t, stored, secret)
	}
	assert.Contains(t, stored, "$argon2id$v=19$m=19456,t=2,p=1$")
}

func TestAUserLogsInWithTheRightPasswordOnly(t *testing.T) {
	b := open(t)
	user, err := b.CreateUser(t.Context(), "admin@example.com", password, store.Admin)
	require.NoError(t, err)
	_, err = b.CreateUser(t.Context(), "ADMIN@example.com", password, store.Admin)
	assert.ErrorIs(t, err, store.ErrDuplicateEmail)

	got, err := b.UserByPassword(t.Context(), " ADMIN@example.com", password)
	require.NoError(t, err)
	assert.Equal(t, user.ID, got.ID)
	for _, c := range [][2]string{{"admin@example.com", password + "x"}, {"admin@example.com", ""}, {"nobody@example.com", password}, {"", ""}} {
		_, err := b.UserByPassword(t.Context(), c[0], c[1])
		assert.ErrorIs(t, err, store.ErrWrongCredentials, c)
	}
	b.exec(`UPDATE users SET disabled_at = now()`)
	_, err = b.UserByPassword(t.Context(), "admin@example.com", password)
	assert.ErrorIs(t, err, store.ErrWrongCredentials)
}

func TestASessionEndsAfterAWeekOrWithLogout(t *testing.T) {
	b := open(t)
	user, err := b.CreateUser(t.Context(), "admin@example.com", password, store.Admin)
	require.NoError(t, err)
	secret, expires, err := b.CreateSession(t.Context(), user, "")
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(store.SessionLifetime), expires, time.Minute)
	other, _, err := b.CreateSession(t.Context(), user, "")
	require.NoError(t, err)

	require.NoError(t, b.DeleteSession(t.Context(), other))
	require.NoError(t, b.DeleteSession(t.Context(), "nobody's"))
	_, err = b.UserBySession(t.Context(), other)
	assert.ErrorIs(t, err, store.ErrNotFound)
	got, err := b.UserBySession(t.Context(), secret)
	require.NoError(t, err)
	assert.Equal(t, user, got)

	b.ahead(store.SessionLifetime)
	_, err = b.UserBySession(t.Context(), secret)
	assert.ErrorIs(t, err, store.ErrNotFound)
	_, _, err = b.CreateSession(t.Context(), user, "")
	require.NoError(t, err)
	assert.Equal(t, 1, one[int](b, `SELECT count(*) FROM sessions`), "what has expired is swept away")
}

func TestATokensUseIsNotedToTheMinute(t *testing.T) {
	b := open(t)
	user, err := b.CreateUser(t.Context(), "admin@example.com", password, store.Admin)
	require.NoError(t, err)
	_, token, err := b.CreateToken(t.Context(), user.ID, "test")
	require.NoError(t, err)
	used := func() time.Time {
		got, err := b.UserByToken(t.Context(), token)
		require.NoError(t, err)
		assert.Equal(t, user, got)
		return one[time.Time](b, `SELECT last_used_at FROM api_tokens`)
	}
	first := used()
	assert.Equal(t, first, used())
	b.ahead(2 * time.Minute)
	assert.Greater(t, used().Sub(first), time.Minute)
	_, err = b.UserByToken(t.Context(), token+"x")
	assert.ErrorIs(t, err, store.ErrNotFound)
}
