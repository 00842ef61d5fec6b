package api

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhoJoinsWithAnOlderStateDoesNotTakeTheNewerOneFromTheOthers(t *testing.T) {
	f := newFeeds()
	f.look = time.Hour // what is shown is what was brought along
	began := time.Now()
	older, err := newEvent("older", began)
	require.NoError(t, err)
	newer, err := newEvent("newer", began.Add(time.Millisecond))
	require.NoError(t, err)
	never := func(context.Context) (event, error) { return event{}, context.Canceled }
	join := func(first event) *feed {
		watched, leave := f.watch(uuid.Nil, "a", first, never, func(error) {})
		t.Cleanup(leave)
		return watched
	}

	watched := join(newer)
	join(older) // read before the newer one, and slower to come

	shown, _ := watched.state()
	assert.Equal(t, newer, shown)
	assert.Equal(t, newer.lookedAt, watched.lookedAt())
}
