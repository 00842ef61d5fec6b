package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/store"
)

// people is a file of contacts with the numbers phone(from) up to phone(to).
func people(from, to int) iter.Seq2[store.ImportRow, error] {
	return func(yield func(store.ImportRow, error) bool) {
		for i := from; i < to; i++ {
			if !yield(store.ImportRow{Line: i - from + 2, ContactData: store.ContactData{Phone: phone(i), Name: fmt.Sprint(i)}}, nil) {
				return
			}
		}
	}
}

func (b bench) category(name string) uuid.UUID {
	b.t.Helper()
	category, err := b.CreateCategory(b.t.Context(), name)
	require.NoError(b.t, err)
	return category.ID
}

// countsAreExact compares every category's count with its members.
func (b bench) countsAreExact() {
	b.t.Helper()
	assert.Empty(b.t, one[string](b, `
		SELECT coalesce(string_agg(c.name || ' says ' || c.contact_count || ' has ' || n.members, ', '), '')
		FROM categories c, LATERAL (SELECT count(*) AS members FROM contact_categories WHERE category_id = c.id) n
		WHERE c.contact_count <> n.members`))
}

func TestCategoryCountsAreExactWhateverHappens(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		b.exec(`TRUNCATE contacts, categories CASCADE`)
		categories := []uuid.UUID{b.category("a"), b.category("b"), b.category("c")}
		var contacts []uuid.UUID
		category := func() uuid.UUID { return rapid.SampledFrom(categories).Draw(r, "category") }
		some := func() []uuid.UUID {
			if len(contacts) == 0 {
				r.Skip()
			}
			return rapid.SliceOfN(rapid.SampledFrom(contacts), 1, 5).Draw(r, "contacts")
		}
		// Contacts and categories may be gone by now; then nothing must change.
		done := func(err error) {
			var missing *store.MissingError
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) && !errors.As(err, &missing) {
				r.Fatal(err)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { b.countsAreExact() },
			"import": func(r *rapid.T) {
				from := rapid.IntRange(0, 20).Draw(r, "from")
				_, err := b.ImportContacts(ctx, store.Import{CategoryID: category(), Rows: people(from, from+rapid.IntRange(0, 10).Draw(r, "n"))})
				done(err)
			},
			"create": func(r *rapid.T) {
				created, err := b.CreateContact(ctx, store.ContactData{
					Phone: phone(rapid.IntRange(0, 30).Draw(r, "i")), CategoryIDs: rapid.SliceOfN(rapid.SampledFrom(categories), 0, 3).Draw(r, "in"),
				})
				done(err)
				if err == nil {
					contacts = append(contacts, created.ID)
				}
			},
			"replace": func(r *rapid.T) {
				_, err := b.UpdateContact(ctx, some()[0], store.ContactData{
					Phone: phone(rapid.IntRange(0, 30).Draw(r, "i")), CategoryIDs: rapid.SliceOfN(rapid.SampledFrom(categories), 0, 3).Draw(r, "in"),
				})
				done(err)
			},
			"delete":  func(*rapid.T) { done(b.DeleteContact(ctx, some()[0])) },
			"add":     func(*rapid.T) { _, err := b.AddToCategory(ctx, category(), some()); done(err) },
			"remove":  func(*rapid.T) { _, err := b.RemoveFromCategory(ctx, category(), some()); done(err) },
			"forget":  func(*rapid.T) { done(b.DeleteCategory(ctx, category())) },
			"opt out": func(*rapid.T) { _, _, err := b.SetOptedOut(ctx, some()[0], true); done(err) },
		})
	})
}

func TestWritersOfTheSameCategoriesDoNotTripOverEachOther(t *testing.T) {
	b := open(t)
	first, second := b.category("first"), b.category("second")
	contacts := b.contacts(50)
	var writers sync.WaitGroup
	write := func(do func(round int) error) {
		writers.Go(func() {
			for round := range 10 {
				assert.NoError(t, do(round))
			}
		})
	}
	ctx := context.Background()
	for _, category := range []uuid.UUID{first, second, first} {
		write(func(round int) error {
			_, err := b.ImportContacts(ctx, store.Import{CategoryID: category, Rows: people(round, round+40)})
			return err
		})
		write(func(int) error { _, err := b.AddToCategory(ctx, category, contacts); return err })
		write(func(round int) error { _, err := b.RemoveFromCategory(ctx, category, contacts[round:]); return err })
		write(func(round int) error {
			_, err := b.UpdateContact(ctx, contacts[round], store.ContactData{Phone: phone(round), CategoryIDs: []uuid.UUID{second, first}})
			return err
		})
	}
	writers.Wait()
	b.countsAreExact()
}

func TestDeletingCategoriesAndContactsAtOnceKeepsTheCounts(t *testing.T) {
	b := open(t)
	keep := b.category("keep")
	contacts := b.contacts(40)
	var writers sync.WaitGroup
	ctx := context.Background()
	gone := []uuid.UUID{b.category("a"), b.category("b"), b.category("c"), b.category("d")}
	for _, category := range append(gone, keep) {
		_, err := b.AddToCategory(ctx, category, contacts)
		require.NoError(t, err)
	}
	for i, gone := range gone {
		writers.Go(func() { assert.NoError(t, b.DeleteCategory(ctx, gone)) })
		writers.Go(func() {
			for _, contact := range contacts[i*10 : i*10+10] {
				assert.NoError(t, b.DeleteContact(ctx, contact))
			}
		})
	}
	writers.Wait()
	b.countsAreExact()
	category, err := b.Category(ctx, keep)
	require.NoError(t, err)
	assert.Zero(t, category.ContactCount)
}

func TestTheReachOfAnAudienceIsWhatIsFrozen(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	first, second := b.category("first"), b.category("second")
	contacts := b.contacts(10)
	for category, members := range map[uuid.UUID][]uuid.UUID{first: contacts[:6], second: contacts[4:8]} {
		_, err := b.AddToCategory(ctx, category, members)
		require.NoError(t, err)
	}
	_, _, err := b.SetOptedOut(ctx, contacts[5], true)
	require.NoError(t, err)

	for _, c := range []struct {
		audience store.Audience
		want     int64
	}{
		{store.Audience{}, 0},
		{store.Audience{CategoryIDs: []uuid.UUID{first}}, 5},
		{store.Audience{CategoryIDs: []uuid.UUID{first, second, first}}, 7},
		{store.Audience{ContactIDs: []uuid.UUID{contacts[5]}}, 0},
		{store.Audience{CategoryIDs: []uuid.UUID{second}, ContactIDs: []uuid.UUID{contacts[4], contacts[9], contacts[9]}}, 4},
	} {
		reach, err := b.Reach(ctx, c.audience)
		require.NoError(t, err)
		assert.Equal(t, c.want, reach.Contacts)
		assert.Equal(t, c.want, b.frozen(c.audience))
	}
	for _, absent := range []store.Audience{{CategoryIDs: []uuid.UUID{first, uuid.New()}}, {ContactIDs: []uuid.UUID{contacts[0], uuid.New()}}} {
		_, err := b.Reach(ctx, absent)
		var missing *store.MissingError
		require.ErrorAs(t, err, &missing)
		assert.Len(t, missing.IDs, 1)
	}
}

// frozen is how many recipients a campaign for the audience gets.
func (b bench) frozen(audience store.Audience) int64 {
	b.t.Helper()
	at := b.now()
	c := store.Campaign{
		Name: "Test", Status: "scheduled", ScheduledAt: &at, Message1: "a", Message2: "b",
		CategoryIDs: audience.CategoryIDs, ContactIDs: audience.ContactIDs,
	}
	require.NoError(b.t, b.CreateCampaign(b.t.Context(), &c))
	frozen, err := b.FreezeAudience(b.t.Context(), c.ID)
	require.NoError(b.t, err)
	return frozen.Recipients
}
