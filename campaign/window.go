package campaign

import "time"

// WindowEnd is the first moment at which a reply to a Message 1 sent at sentAt
// is too late (Property 6).
func WindowEnd(sentAt time.Time, window time.Duration) time.Time { return sentAt.Add(window) }

// InWindow reports whether a reply received at receivedAt earns Message 2.
// At exactly the end of the window it is late (Property 6).
func InWindow(receivedAt, windowEndsAt time.Time) bool { return receivedAt.Before(windowEndsAt) }
