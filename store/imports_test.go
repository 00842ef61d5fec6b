package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// file is rows without an error.
func file(rows ...store.ImportRow) iter.Seq2[store.ImportRow, error] {
	return func(yield func(store.ImportRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (b bench) received(imp store.Import) uuid.UUID {
	b.t.Helper()
	job, err := b.ReceiveImport(b.t.Context(), imp)
	require.NoError(b.t, err)
	assert.Equal(b.t, store.ImportRunning, job.State)
	return job.ID
}

// nothingIsLeft of what imports needed on their way.
func (b bench) nothingIsLeft() {
	b.t.Helper()
	assert.Zero(b.t, one[int](b, `SELECT count(*) FROM import_batches`))
}

func counts(job store.ImportJob) [5]int64 {
	return [5]int64{job.Rows, job.Imported, job.Updated, job.Skipped, job.Rejected}
}

func TestARowThatCannotBeReadUndoesTheImport(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(1000)
	broken := &store.FileError{Reason: "The quote is never closed.", Err: errors.New("line 5001")}
	_, err := b.ReceiveImport(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for row := range people(0, 5000) {
			if !yield(row, nil) {
				return
			}
		}
		yield(store.ImportRow{}, broken)
	}})
	assert.ErrorIs(t, err, broken)
	assert.Zero(t, one[int](b, `SELECT count(*) FROM contacts`))
	b.nothingIsLeft()
	list, err := b.Imports(t.Context(), store.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list.Imports, 1)
	assert.Equal(t, store.ImportFailed, list.Imports[0].State)
	assert.Equal(t, "The quote is never closed.", list.Imports[0].Error)
	assert.NotNil(t, list.Imports[0].FinishedAt)
	again, err := b.MergeImport(t.Context(), list.Imports[0].ID)
	require.NoError(t, err)
	assert.Equal(t, store.ImportFailed, again.State, "what failed stays failed")
}

func TestNothingIsMergedBeforeTheFileIsComplete(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(10)
	_, err := b.ReceiveImport(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for row := range people(0, 100) {
			if !yield(row, nil) {
				return
			}
		}
		list, err := b.Imports(t.Context(), store.Page{Limit: 1})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, list.Imports[0].Rows, int64(80), "what was received is to be seen")
		assert.Zero(t, list.Imports[0].Progress())
		_, err = b.MergeImport(t.Context(), list.Imports[0].ID)
		assert.ErrorIs(t, err, store.ErrConflict)
		b.ahead(time.Hour)
		lost, err := b.ImportsToMerge(t.Context(), time.Second, 10)
		require.NoError(t, err)
		assert.Empty(t, lost)
	}})
	require.NoError(t, err)
	assert.Zero(t, one[int](b, `SELECT count(*) FROM contacts`))
}

func TestAnImportKeepsTheOrderOfItsFile(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(2000)
	var phones []string
	_, err := b.ImportContacts(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for i := range 5000 { // more than one batch, and not in the order of the numbers
			p := phone((i * 7919) % 19997)
			phones = append(phones, p)
			if !yield(store.ImportRow{ContactData: store.ContactData{Phone: p}}, nil) {
				return
			}
		}
	}})
	require.NoError(t, err)
	stored := one[string](b, `SELECT string_agg(phone, ' ' ORDER BY created_at, id) FROM contacts`)
	assert.Equal(t, strings.Join(phones, " "), stored)
}

func TestEveryRejectedRowIsKept(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(1000)
	var rows []store.ImportRow
	for i := range 2500 {
		rows = append(rows, store.ImportRow{Line: i + 2, Rejected: "phone must not be empty", Cells: []string{"", fmt.Sprint("Nobody\x00 \xff", i)}})
	}
	job, err := b.ImportContacts(t.Context(), store.Import{Columns: []string{"phone", "name"}, Rows: file(rows...)})
	require.NoError(t, err)
	assert.Equal(t, store.ImportDone, job.State)
	assert.Equal(t, [5]int64{2500, 0, 0, 0, 2500}, counts(job))
	assert.Equal(t, store.Texts{"phone", "name"}, job.Columns)
	var kept []store.Rejection
	for more, after := true, int64(0); more; after = kept[len(kept)-1].Line {
		var page []store.Rejection
		page, more, err = b.Rejections(t.Context(), job.ID, after, 700)
		require.NoError(t, err)
		kept = append(kept, page...)
	}
	require.Len(t, kept, 2500)
	assert.Equal(t, store.Rejection{Line: 2501, Reason: "phone must not be empty", Cells: store.Texts{"", "Nobody\ufffd \ufffd2499"}}, kept[2499])
}

// known is what the model of an import holds of a contact.
type known struct {
	name       string
	attributes store.Attributes
	member     bool
}

func TestAnImportIsAsIfItsRowsCameOneAfterTheOther(t *testing.T) {
	b := open(t)
	rapid.Check(t, func(r *rapid.T) {
		b.exec(`TRUNCATE contacts, categories, import_jobs CASCADE`)
		b.BatchImportsBy(rapid.IntRange(1, 5).Draw(r, "batch"))
		category := b.category("members")
		model := map[string]known{}
		for range rapid.IntRange(1, 3).Draw(r, "imports") {
			imp := store.Import{OnDuplicate: rapid.SampledFrom([]store.OnDuplicate{store.UpdateDuplicates, store.SkipDuplicates}).Draw(r, "on duplicate")}
			if rapid.Bool().Draw(r, "with category") {
				imp.CategoryID = category
			}
			rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 12).Draw(r, "rows")
			var want [5]int64
			for i, row := range rows {
				rows[i].Line = i + 2
				want[0]++
				want[play(model, imp, row)]++
			}
			imp.Rows = file(rows...)
			job, err := b.ImportContacts(context.Background(), imp)
			require.NoError(t, err)
			require.Equal(t, want, counts(job))
			require.Equal(t, store.ImportDone, job.State)
			require.EqualValues(t, 1, job.Progress())
		}
		require.Equal(t, model, b.everybody())
		b.countsAreExact()
		b.nothingIsLeft()
	})
}

func drawRow(r *rapid.T) store.ImportRow {
	var row store.ImportRow
	if rapid.IntRange(0, 9).Draw(r, "rejected") == 0 {
		return store.ImportRow{Rejected: "no"}
	}
	row.Phone = phone(rapid.IntRange(0, 6).Draw(r, "phone"))
	row.Name = rapid.SampledFrom([]string{"", "A", "B"}).Draw(r, "name")
	row.Attributes = rapid.MapOf(rapid.SampledFrom([]string{"city", "shoe"}), rapid.SampledFrom([]string{"1", "2", `"`})).Draw(r, "attributes")
	return row
}

// play does to the model what an import does with a row, and tells which of the
// import's counts it belongs to.
func play(model map[string]known, imp store.Import, row store.ImportRow) int {
	if row.Rejected != "" {
		return 4
	}
	k, exists := model[row.Phone]
	k.member = k.member || imp.CategoryID != uuid.Nil
	defer func() { model[row.Phone] = k }()
	switch {
	case exists && imp.OnDuplicate == store.SkipDuplicates:
		return 3
	case exists:
		if row.Name != "" {
			k.name = row.Name
		}
		k.attributes = maps.Clone(k.attributes)
		maps.Copy(k.attributes, row.Attributes)
		return 2
	}
	k.name, k.attributes = row.Name, maps.Clone(row.Attributes)
	return 1
}

func (b bench) everybody() map[string]known {
	b.t.Helper()
	list, err := b.Contacts(context.Background(), store.ContactFilter{}, store.Page{Limit: 1000})
	require.NoError(b.t, err)
	all := map[string]known{}
	for _, c := range list.Contacts {
		all[c.Phone] = known{name: c.Name, attributes: c.Attributes, member: len(c.CategoryIDs) > 0}
	}
	return all
}

func TestAnImportGoesOnWhereAProcessWasStopped(t *testing.T) {
	for _, rule := range []store.OnDuplicate{store.UpdateDuplicates, store.SkipDuplicates} {
		t.Run(string(rule), func(t *testing.T) {
			b := open(t)
			b.BatchImportsBy(100)
			category := b.category("members")
			existing := b.contacts(1000)[350] // of the fourth batch
			id := b.received(store.Import{CategoryID: category, OnDuplicate: rule, Rows: people(0, 2000)})

			release := b.holding(existing)
			ctx, stop := context.WithCancel(t.Context())
			stopped := make(chan error)
			go func() { _, err := b.MergeImport(ctx, id); stopped <- err }()
			require.Eventually(t, func() bool { return one[int](b, `SELECT merged FROM import_jobs`) == 3 }, time.Minute, time.Millisecond)
			require.Eventually(t, func() bool {
				return one[bool](b, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%contact%' AND datname = current_database())`)
			}, time.Minute, time.Millisecond)
			stop() // in the middle of a batch
			require.ErrorIs(t, <-stopped, context.Canceled)
			release()

			another := b.reopen(campaign.DefaultRules())
			half, err := another.ImportJob(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, store.ImportRunning, half.State)
			assert.Equal(t, 3.0/20, half.Progress())
			lost, err := another.ImportsToMerge(t.Context(), 0, 10)
			require.NoError(t, err)
			require.Equal(t, []uuid.UUID{id}, lost)

			var all errgroup.Group // several may take it up at once
			for _, process := range []bench{b, another, b.reopen(campaign.DefaultRules())} {
				all.Go(func() error { _, err := process.MergeImport(t.Context(), id); return err })
			}
			require.NoError(t, all.Wait())
			job, err := b.ImportJob(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, store.ImportDone, job.State)
			if rule == store.SkipDuplicates {
				assert.Equal(t, [5]int64{2000, 1000, 0, 1000, 0}, counts(job))
			} else {
				assert.Equal(t, [5]int64{2000, 1000, 1000, 0, 0}, counts(job))
			}
			assert.Equal(t, 2000, one[int](b, `SELECT count(*) FROM contacts`))
			assert.Equal(t, 2000, one[int](b, `SELECT contact_count FROM categories`))
			b.countsAreExact()
			b.nothingIsLeft()
		})
	}
}

// holding locks a contact in a transaction that is under way, until released.
func (b bench) holding(contact uuid.UUID) (release func()) {
	b.t.Helper()
	tx, err := b.Pool().BeginTx(context.Background(), nil)
	require.NoError(b.t, err)
	_, err = tx.Exec(`SELECT FROM contacts WHERE id = $1 FOR UPDATE`, contact)
	require.NoError(b.t, err)
	return func() { require.NoError(b.t, tx.Rollback()) }
}

func TestImportsThatShareContactsInDifferentOrdersDoNotTripOverEachOther(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(50)
	category := b.category("members")
	forwards, backwards := []store.ImportRow{}, []store.ImportRow{}
	for row := range people(0, 500) {
		forwards, backwards = append(forwards, row), append([]store.ImportRow{row}, backwards...)
	}
	var all errgroup.Group
	for i, rows := range [][]store.ImportRow{forwards, backwards, forwards, backwards} {
		all.Go(func() error {
			job, err := b.ImportContacts(t.Context(), store.Import{CategoryID: category, Rows: file(rows...),
				OnDuplicate: []store.OnDuplicate{store.UpdateDuplicates, store.UpdateDuplicates, store.SkipDuplicates, store.SkipDuplicates}[i]})
			assert.Equal(t, int64(500), job.Imported+job.Updated+job.Skipped)
			return err
		})
	}
	require.NoError(t, all.Wait())
	assert.Equal(t, 500, one[int](b, `SELECT count(*) FROM contacts`))
	assert.Equal(t, 500, one[int](b, `SELECT sum(imported) FROM import_jobs`))
	assert.Zero(t, one[int](b, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
	b.countsAreExact()
}

func TestAnUploadWhoseProcessIsGoneIsFailed(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(10)
	reason := ""
	_, err := b.ReceiveImport(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for row := range people(0, 50) {
			if !yield(row, nil) {
				return
			}
		}
		require.NoError(t, b.FailLostUploads(t.Context(), time.Minute))
		assert.Equal(t, "running", one[string](b, `SELECT state FROM import_jobs`), "it has just been touched")
		b.ahead(2 * time.Minute)
		require.NoError(t, b.FailLostUploads(t.Context(), time.Minute))
		reason = one[string](b, `SELECT error FROM import_jobs WHERE state = 'failed'`)
		b.nothingIsLeft()
	}})
	assert.NotEmpty(t, reason)
	assert.ErrorIs(t, err, store.ErrConflict, "and whoever comes back to life learns of it")
	assert.Zero(t, one[int](b, `SELECT count(*) FROM contacts`))
	b.nothingIsLeft()
}

func TestAnImportWhoseCategoryIsDeletedMeanwhileGoesOnWithoutIt(t *testing.T) {
	for _, rule := range []store.OnDuplicate{store.UpdateDuplicates, store.SkipDuplicates} {
		b := open(t)
		category := b.category("short-lived")
		id := b.received(store.Import{CategoryID: category, OnDuplicate: rule, Rows: people(0, 10)})
		require.NoError(t, b.DeleteCategory(t.Context(), category))
		job, err := b.MergeImport(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, [5]int64{10, 10, 0, 0, 0}, counts(job))
	}
}

func TestAnImportThatTheDatabaseRefusesIsFailedAndNotTriedForEver(t *testing.T) {
	b := open(t)
	b.BatchImportsBy(10)
	id := b.received(store.Import{Rows: people(0, 30)})
	b.exec(`ALTER TABLE contacts ADD CHECK (name <> '25')`)
	_, err := b.MergeImport(t.Context(), id)
	require.Error(t, err)
	job, err := b.ImportJob(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, store.ImportFailed, job.State)
	assert.NotEmpty(t, job.Error)
	assert.Equal(t, 20, one[int](b, `SELECT count(*) FROM contacts`), "what was merged stays")
	b.nothingIsLeft()
	lost, err := b.ImportsToMerge(t.Context(), 0, 10)
	require.NoError(t, err)
	assert.Empty(t, lost)
}

func TestImportsRespectWhoAskedToBeLeftAlone(t *testing.T) {
	b := open(t)
	b.exec(`INSERT INTO opt_outs (phone, opted_out_at) SELECT $1, relance_now()`, phone(3))
	_, err := b.ImportContacts(t.Context(), store.Import{Rows: people(0, 10)})
	require.NoError(t, err)
	assert.Equal(t, phone(3), one[string](b, `SELECT string_agg(phone, ' ') FROM contacts WHERE opted_out_at IS NOT NULL`))
}
