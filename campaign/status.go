package campaign

import (
	"slices"
	"time"
)

// StaleStart is how late a scheduled campaign may start. One that was missed by
// more, through downtime, waits for an admin.
const StaleStart = time.Hour

// Status is where a campaign stands as a whole.
type Status string

// The life of a campaign: draft → scheduled → running ⇄ paused → completed | cancelled.
const (
	Draft     Status = "draft"
	Scheduled Status = "scheduled"
	Running   Status = "running"
	Paused    Status = "paused"
	Completed Status = "completed"
	Cancelled Status = "cancelled"
)

// Statuses lists every campaign status in the order of a campaign's life.
var Statuses = []Status{Draft, Scheduled, Running, Paused, Completed, Cancelled}

var nextStatuses = map[Status][]Status{
	Draft:     {Scheduled},
	Scheduled: {Running, Draft, Cancelled},
	Running:   {Paused, Completed, Cancelled},
	Paused:    {Running, Completed, Cancelled},
}

// CanBecome reports whether a campaign may go from s to next in one step.
func (s Status) CanBecome(next Status) bool { return slices.Contains(nextStatuses[s], next) }

// Final reports whether a campaign in this status never changes again.
func (s Status) Final() bool { return s == Completed || s == Cancelled }

// Launched reports whether the audience has been frozen and messages may have left.
func (s Status) Launched() bool { return s == Running || s == Paused || s.Final() }
