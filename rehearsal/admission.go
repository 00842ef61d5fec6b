package rehearsal

import (
	"context"
	"time"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// admitRecipients admits as [store.Store.Admit] does. It first waits, in no
// time of the rehearsal's, until whoever was admitted before has come to send:
// so it always sees the same, whichever activity of a moment runs first.
func (w *world) admitRecipients(_ context.Context, in activities.AdmitRecipientsInput) (activities.AdmitRecipientsResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.expected > 0 && w.stopped == nil {
		w.progress.Wait()
	}
	if w.stopped != nil {
		return activities.AdmitRecipientsResult{}, w.over()
	}
	now := w.env.Now()
	result := activities.AdmitRecipientsResult{
		Status: w.status, DeadlineLeft: max(w.deadline.Sub(now), 0), Left: int64(w.count[campaign.Pending]),
	}
	if result.Left > 0 && w.status == campaign.Running && result.DeadlineLeft > 0 {
		w.admit(&result, min(in.Size, w.count[campaign.Pending]), 2*in.Size, now)
	}
	return result, nil
}

func (w *world) admit(result *activities.AdmitRecipientsResult, size, backlog int, now time.Time) {
	if wait := w.Rules.Hours.UntilOpen(now); wait > 0 {
		w.hold(0, now) // it is the hours that they wait for
		result.Obstacle, result.AskAgain = store.ObstacleHours, wait
		return
	}
	if crowd := w.count[campaign.Admitted] + size - backlog; crowd > 0 {
		result.Obstacle, result.AskAgain = activities.ObstacleCrowded, w.untilLess(crowd, now)
		return
	}
	usage, untilRoom := w.usage(now)
	free := campaign.FairShares(w.Rules.Quota.Admittable(usage), []campaign.Claimant{{Waiting: w.count[campaign.Pending]}})[0]
	if free == 0 {
		w.journal.note(entry{at: now, refused: true})
		w.hold(w.count[campaign.Pending], now)
		result.Obstacle, result.AskAgain = store.ObstacleQuota, w.Rules.Quota.AskAgain(untilRoom)
		return
	}
	slots, wait := w.device.slots(w.Rules, min(size, free), now, w.pauses.Float64)
	if len(slots) == 0 {
		w.hold(0, now)
		result.Obstacle, result.AskAgain = store.ObstaclePace, wait
		return
	}
	for _, slot := range slots {
		p := w.people[w.admitted]
		w.admitted++
		w.expected++
		w.become(p, campaign.Admitted, now)
		p.notBefore = slot
		result.Contacts = append(result.Contacts, p.id)
	}
	result.Left = int64(w.count[campaign.Pending])
	w.hold(0, now)
}

// untilLess is how long it takes until n of those who are admitted and unsent
// have had their slot. The production activity looks again every 100 ms instead.
func (w *world) untilLess(n int, now time.Time) time.Duration {
	for _, p := range w.people[:w.admitted] { // slots come in this order
		if p.state == campaign.Admitted && p.notBefore.After(now) {
			if n--; n == 0 {
				return p.notBefore.Sub(now)
			}
		}
	}
	return time.Second // something else holds them up: the hours, or an empty quota
}

// usage counts what stands against the quota, and how long it takes until the
// first of it stops counting, as the database does.
func (w *world) usage(now time.Time) (campaign.Usage, time.Duration) {
	u := campaign.Usage{Sent: w.device.sent(now), Admitted: w.count[campaign.Admitted], Owed: w.count[campaign.Replied]}
	untilRoom := w.device.untilRoom(now)
	open := func(endsAt time.Time) {
		if campaign.InWindow(now, endsAt) {
			u.Open++
			if left := endsAt.Sub(now); untilRoom == 0 || left < untilRoom {
				untilRoom = left
			}
		}
	}
	for _, endsAt := range w.device.windows {
		open(endsAt)
	}
	for _, p := range w.people[:w.admitted] {
		if p.state == campaign.Message1Sent {
			open(p.endsAt)
		}
	}
	return u, untilRoom
}

// hold notes how many recipients admission holds back for want of quota.
func (w *world) hold(n int, now time.Time) {
	w.journal.note(entry{at: now, waiting: n - w.held})
	w.held = n
}

// refuse notes that the quota keeps a message from leaving, grant that this is over.
func (w *world) refuse(p *person, now time.Time) {
	w.journal.note(entry{at: now, refused: true})
	if !p.refused {
		p.refused = true
		w.journal.note(entry{at: now, waiting: 1})
	}
}

func (w *world) granted(p *person, now time.Time) {
	if p.refused {
		p.refused = false
		w.journal.note(entry{at: now, waiting: -1})
	}
}
