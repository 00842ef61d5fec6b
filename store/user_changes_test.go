package store_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

func TestTwoSuperAdminsWhoDemoteEachOtherLeaveOne(t *testing.T) {
	b := open(t)
	admin := store.Admin
	for range 10 {
		b.exec(`DELETE FROM users`)
		var ids []uuid.UUID
		for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			user, err := b.CreateUser(t.Context(), email, password, store.SuperAdmin)
			require.NoError(t, err)
			ids = append(ids, user.ID)
		}
		var demoting sync.WaitGroup
		errs := make([]error, len(ids))
		for i, id := range ids {
			demoting.Go(func() {
				disabled := true
				change := store.UserChange{Role: &admin}
				if i == 0 {
					change = store.UserChange{Disabled: &disabled}
				}
				_, errs[i] = b.ChangeUser(t.Context(), id, change)
			})
		}
		demoting.Wait()
		refused := 0
		for _, err := range errs {
			if err != nil {
				assert.ErrorIs(t, err, store.ErrLastSuperAdmin)
				refused++
			}
		}
		assert.Equal(t, 1, refused)
		assert.Equal(t, 1, one[int](b, `SELECT count(*) FROM users WHERE role = 'super_admin' AND disabled_at IS NULL`))
	}
}

func TestALoginThatWasUnderWayDoesNotOutliveANewPasswordOrBeingDisabled(t *testing.T) {
	b := open(t)
	_, err := b.CreateUser(t.Context(), "root@example.com", password, store.SuperAdmin)
	require.NoError(t, err)
	another, yes := "another password", true
	for name, change := range map[string]store.UserChange{"password": {Password: &another}, "disabled": {Disabled: &yes}} {
		user, err := b.CreateUser(t.Context(), name+"@example.com", password, store.Admin)
		require.NoError(t, err)
		checked, err := b.UserByPassword(t.Context(), user.Email, password)
		require.NoError(t, err)
		_, err = b.ChangeUser(t.Context(), user.ID, change)
		require.NoError(t, err)
		_, _, err = b.CreateSession(t.Context(), checked, "")
		assert.ErrorIs(t, err, store.ErrWrongCredentials, name)
	}
	assert.Zero(t, one[int](b, `SELECT count(*) FROM sessions`))
}

func TestAChangeThatSaysNothingOfAPasswordKeepsItAndTheSessions(t *testing.T) {
	b := open(t)
	user, err := b.CreateUser(t.Context(), "a@example.com", password, store.Admin)
	require.NoError(t, err)
	secret, _, err := b.CreateSession(t.Context(), user, "")
	require.NoError(t, err)
	super, no := store.SuperAdmin, false
	changed, err := b.ChangeUser(t.Context(), user.ID, store.UserChange{Role: &super, Disabled: &no})
	require.NoError(t, err)
	assert.Equal(t, store.SuperAdmin, changed.Role)
	_, err = b.UserBySession(t.Context(), secret)
	assert.NoError(t, err)
	_, err = b.UserByPassword(t.Context(), user.Email, password)
	assert.NoError(t, err)
}
