package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

func TestSeveralDispatchersShareTheBacklogOldestFirst(t *testing.T) {
	b := open(t)
	const stored = 200
	for i := range stored {
		_, err := b.KeepWebhook(t.Context(), fmt.Sprintf("key %d", i), []byte("{}"), time.Time{})
		require.NoError(t, err)
	}
	b.exec(`UPDATE webhook_events SET due_at = received_at`)
	var mu sync.Mutex
	taken := map[uuid.UUID]int{}
	var dispatchers sync.WaitGroup
	for range 4 {
		dispatchers.Go(func() {
			for {
				events, err := b.TakeWebhooks(t.Context(), 7)
				if err != nil || len(events) == 0 {
					return
				}
				mu.Lock()
				for _, event := range events {
					taken[event.ID]++
				}
				mu.Unlock()
				if !slices.IsSortedFunc(events, func(x, y store.WebhookEvent) int { return x.ReceivedAt.Compare(y.ReceivedAt) }) {
					t.Error("not oldest first")
				}
			}
		})
	}
	dispatchers.Wait()
	require.Len(t, taken, stored)
	for _, times := range taken {
		require.Equal(t, 1, times)
	}
}

func TestSeveralDispatchersWakeAnOverdueContactOnce(t *testing.T) {
	b := open(t)
	_, contacts := b.messaged(1)
	b.ahead(25 * time.Hour)
	found := make(chan store.Recipient, 10)
	var dispatchers sync.WaitGroup
	for range 4 {
		dispatchers.Go(func() {
			recipients, err := b.Overdue(t.Context(), time.Minute, 10)
			if err != nil {
				t.Error(err)
			}
			for _, recipient := range recipients {
				found <- recipient
			}
		})
	}
	dispatchers.Wait()
	require.Len(t, found, 1)
	require.Equal(t, contacts[0], (<-found).ContactID)

	b.ahead(25*time.Hour + 2*time.Minute)
	again, err := b.Overdue(t.Context(), time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, again, 1, "should that wake-up have been lost too")
}
