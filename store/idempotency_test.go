package store_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

// keyed is a user with an idempotency key and a request to use it for.
type keyed struct {
	bench
	user              uuid.UUID
	hash, fingerprint []byte
}

func withKey(t *testing.T) keyed {
	t.Helper()
	b := open(t)
	user, err := b.CreateUser(t.Context(), "a@example.com", password, store.Admin)
	require.NoError(t, err)
	hash, fingerprint := sha256.Sum256([]byte("key")), sha256.Sum256([]byte("request"))
	return keyed{b, user.ID, hash[:], fingerprint[:]}
}

func (k keyed) claim() (*store.KeyClaim, *store.StoredAnswer, error) {
	return k.ClaimKey(k.t.Context(), k.user, k.hash, k.fingerprint)
}

func TestOfManyWhoClaimAKeyAtOnceOneGetsIt(t *testing.T) {
	k := withKey(t)
	var got atomic.Int64
	var claiming sync.WaitGroup
	for range 16 {
		claiming.Go(func() {
			claim, answered, err := k.claim()
			assert.Nil(t, answered)
			if claim != nil {
				got.Add(1)
			} else {
				assert.ErrorIs(t, err, store.ErrKeyInFlight)
			}
		})
	}
	claiming.Wait()
	assert.EqualValues(t, 1, got.Load())
}

func TestWhoeverTakesOverMakesTheSameAndAnswersAlone(t *testing.T) {
	k := withKey(t)
	frozen, _, err := k.claim()
	require.NoError(t, err)
	k.ahead(store.IdempotencyHold)
	successor, _, err := k.claim()
	require.NoError(t, err)
	require.NotNil(t, successor)
	assert.Equal(t, frozen.MadeID, successor.MadeID)

	// The frozen one wakes up: it neither answers nor lets go in the other's place.
	require.NoError(t, k.AnswerKey(t.Context(), frozen, store.StoredAnswer{Status: 201, Body: []byte("the frozen one's")}))
	require.NoError(t, k.ReleaseKey(t.Context(), frozen))
	_, _, err = k.claim()
	assert.ErrorIs(t, err, store.ErrKeyInFlight)
	want := store.StoredAnswer{Status: 201, ContentType: "application/json", Location: "/x", Body: []byte{0, 1, 255}}
	require.NoError(t, k.AnswerKey(t.Context(), successor, want))
	_, answered, err := k.claim()
	require.NoError(t, err)
	assert.Equal(t, want, *answered)
}

func TestAReleasedKeyStaysBoundToItsRequest(t *testing.T) {
	k := withKey(t)
	first, _, err := k.claim()
	require.NoError(t, err)
	require.NoError(t, k.ReleaseKey(t.Context(), first))
	other := k
	sum := sha256.Sum256([]byte("another request"))
	other.fingerprint = sum[:]
	_, _, err = other.claim()
	assert.ErrorIs(t, err, store.ErrKeyReused)
	second, _, err := k.claim()
	require.NoError(t, err)
	assert.Equal(t, first.MadeID, second.MadeID)
}

func TestACampaignMadeTwiceWithOneIDIsOne(t *testing.T) {
	b := open(t)
	id := uuid.New()
	ctx := store.WithMadeID(t.Context(), id)
	first := store.Campaign{Name: "A", Message1: "1", Message2: "2", Status: "draft", CategoryIDs: store.UUIDs{}, ContactIDs: store.UUIDs{}}
	second := first
	second.Name = "B"
	require.NoError(t, b.CreateCampaign(ctx, &first))
	require.NoError(t, b.CreateCampaign(ctx, &second))
	assert.Equal(t, id, second.ID)
	assert.Equal(t, "A", second.Name)
	assert.False(t, second.CreatedAt.IsZero())
	assert.Equal(t, 1, one[int](b, `SELECT count(*) FROM campaigns`))
}

func TestSweepingTakesWhatIsOldAndNothingElse(t *testing.T) {
	k := withKey(t)
	count := func() (n [4]int) {
		for i, table := range []string{"audit_log", "idempotency_keys", "login_attempts", "sessions"} {
			n[i] = one[int](k.bench, `SELECT count(*) FROM `+table)
		}
		return n
	}
	prepare := func() {
		user, err := k.UserByPassword(t.Context(), "a@example.com", password)
		require.NoError(t, err)
		_, _, err = k.CreateSession(t.Context(), user, "") // and an entry in the audit log
		require.NoError(t, err)
		claim, _, err := k.claim()
		if !errors.Is(err, store.ErrKeyInFlight) {
			require.NoError(t, err)
			require.NotNil(t, claim)
		}
		require.Zero(t, k.refusedFor("a@example.com", home))
	}
	prepare()
	k.sweep()
	assert.Equal(t, [4]int{1, 1, 2, 1}, count(), "nothing is old yet")
	k.ahead(store.AuditLifetime + 1)
	k.sweep()
	assert.Equal(t, [4]int{0, 0, 0, 0}, count())
}
