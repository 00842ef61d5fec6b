package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

func (b bench) sweep() store.Swept {
	b.t.Helper()
	swept, err := b.Sweep(b.t.Context())
	require.NoError(b.t, err)
	return swept
}

func TestRejectedRowsAreForgottenAMonthAfterTheirImportEnded(t *testing.T) {
	b := open(t)
	rejected := store.Import{Columns: []string{"phone"}, Rows: func(yield func(store.ImportRow, error) bool) {
		for line := range 3 {
			if !yield(store.ImportRow{Line: line + 2, Rejected: "phone is too short for its country", Cells: []string{"0639980001"}}, nil) {
				return
			}
		}
	}}
	old, err := b.ImportContacts(t.Context(), rejected)
	require.NoError(t, err)
	b.ahead(store.RejectionsLifetime - time.Minute)
	recent, err := b.ImportContacts(t.Context(), rejected)
	require.NoError(t, err)
	b.sweep()
	kept := func(of store.ImportJob) int {
		rows, _, err := b.Rejections(t.Context(), of.ID, 0, 10)
		require.NoError(t, err)
		return len(rows)
	}
	assert.Equal(t, 3, kept(old), "not a minute too early")

	b.ahead(store.RejectionsLifetime + time.Minute)
	b.sweep()
	assert.Zero(t, kept(old))
	assert.Equal(t, 3, kept(recent))
	job, err := b.ImportJob(t.Context(), old.ID)
	require.NoError(t, err)
	assert.EqualValues(t, 3, job.Rejected, "how many there were is no secret")
}
