package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/store"
)

func (b bench) now() time.Time { return one[time.Time](b, `SELECT relance_now()`) }

func TestPagesHoldEveryContactOnceWhateverTheirSizeAndTies(t *testing.T) {
	b := open(t)
	rapid.Check(t, func(r *rapid.T) {
		b.exec(`TRUNCATE contacts CASCADE`)
		n := rapid.IntRange(0, 30).Draw(r, "contacts")
		moments := rapid.IntRange(1, 4).Draw(r, "moments") // few: most were made at the same time
		for i := range n {
			b.exec(`INSERT INTO contacts (id, phone, created_at) VALUES (gen_random_uuid(), $1, timestamptz '2025-01-01 00:00:00.123456Z' + $2 * interval '1 microsecond')`,
				phone(i), i%moments)
		}
		page := store.Page{Limit: rapid.IntRange(1, 10).Draw(r, "limit")}
		var seen []store.Contact
		for {
			list, err := b.Contacts(context.Background(), store.ContactFilter{}, page)
			require.NoError(t, err)
			require.LessOrEqual(t, len(list.Contacts), page.Limit)
			seen = append(seen, list.Contacts...)
			if list.Next == nil {
				break
			}
			require.Len(t, list.Contacts, page.Limit)
			page.After = list.Next
		}
		phones := map[string]bool{}
		for i, c := range seen {
			phones[c.Phone] = true
			require.True(t, i == 0 || !c.CreatedAt.After(seen[i-1].CreatedAt), "newest first")
		}
		require.Len(t, seen, n)
		require.Len(t, phones, n)
	})
}

func TestASearchTakesItsTextLiterally(t *testing.T) {
	b := open(t)
	for i, name := range []string{`100%`, `under_score`, `back\slash`, `quote'`, `Élodie`} {
		_, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(i), Name: name})
		require.NoError(t, err)
	}
	for query, want := range map[string]int{`%`: 1, `_`: 1, `\`: 1, `'`: 1, `LODIE`: 1, `@id`: 0, `?`: 0, ``: 5, `0639981`: 0, `06 39 98 00 00`: 1, `63998`: 5} {
		list, err := b.Contacts(t.Context(), store.ContactFilter{Query: query}, store.Page{Limit: 50})
		require.NoError(t, err, query)
		assert.Len(t, list.Contacts, want, query)
	}
}

func TestAttributesThatAreNoTextsAreShownAsTexts(t *testing.T) {
	b := open(t)
	id := b.contacts(1)[0]
	b.exec(`UPDATE contacts SET attributes = '{"city": "Lyon", "age": 42, "vip": true}'`)
	contact, err := b.Contact(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, store.Attributes{"city": "Lyon", "age": "42", "vip": "true"}, contact.Attributes)
}

func TestAMissingCategoryLeavesAContactAsItWas(t *testing.T) {
	b := open(t)
	existing, absent := b.category("a"), uuid.New()
	_, err := b.CreateContact(t.Context(), store.ContactData{Phone: phone(1), CategoryIDs: []uuid.UUID{existing, absent, absent}})
	var missing *store.MissingError
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, []uuid.UUID{absent}, missing.IDs)
	assert.Contains(t, missing.Error(), absent.String())
	assert.Zero(t, one[int](b, `SELECT count(*) FROM contacts`))
	b.countsAreExact()
}

func TestListsOfIdsSurviveTheDatabase(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ids := store.UUIDs{}
		for range rapid.IntRange(0, 5).Draw(r, "n") {
			ids = append(ids, uuid.New())
		}
		text, err := ids.Value()
		require.NoError(t, err)
		var read store.UUIDs
		require.NoError(t, read.Scan(text))
		assert.Equal(t, ids, read)
		require.NoError(t, read.Scan([]byte(text.(string))))
		assert.Equal(t, ids, read)
	})
	var ids store.UUIDs
	assert.NoError(t, ids.Scan(nil))
	assert.Nil(t, ids)
	assert.Error(t, ids.Scan("{x}"))
	assert.Error(t, ids.Scan(1))
}

func TestADatabaseThatIsAwayIsToldFromAMistake(t *testing.T) {
	b := open(t)
	_, err := b.Contact(t.Context(), uuid.New())
	assert.ErrorIs(t, err, store.ErrNotFound)
	assert.False(t, store.Unavailable(err))

	_, err = store.Open(t.Context(), "postgres://postgres@127.0.0.1:1/nothing", store.Options{DeviceID: device})
	assert.True(t, store.Unavailable(err), "%v", err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Contact(cancelled, uuid.New())
	assert.ErrorIs(t, err, context.Canceled)
	assert.False(t, store.Unavailable(err))
}
