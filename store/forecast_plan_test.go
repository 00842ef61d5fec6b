package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAForecastKnowsWhoElseWaitsFoldedOrNot(t *testing.T) {
	b := open(t)
	contacts := b.contacts(5)
	id := b.launched(contacts)
	b.launched(contacts[:3])
	waiting := func() (all []int) {
		plan, err := b.ForecastPlan(t.Context(), uuid.Nil)
		require.NoError(t, err)
		for _, other := range plan.Others {
			all = append(all, other.Waiting)
		}
		return all
	}
	assert.ElementsMatch(t, []int{5, 3}, waiting())
	require.NoError(t, b.FoldStats(t.Context()))
	assert.ElementsMatch(t, []int{5, 3}, waiting())
	b.admit(id, 1, 2)
	assert.ElementsMatch(t, []int{3, 3}, waiting())
	b.admit(id, 2, 3)
	assert.Equal(t, []int{3}, waiting(), "who waits for nobody is no rival")
}
