package main

import (
	"fmt"
	"time"

	"github.com/relance/relance/store"
)

func (c config) retention() store.Retention {
	return store.Retention{Texts: c.RetentionTexts, Events: c.RetentionEvents}
}

const (
	// leastTexts is a week: until then a campaign's course may still change.
	leastTexts = 7 * 24 * time.Hour
	// leastEvents is a day: until then the provider may deliver a webhook again.
	leastEvents = 24 * time.Hour
)

func (c config) checkRetention() error {
	for _, r := range []struct {
		variable        string
		duration, least time.Duration
	}{{"RETENTION_TEXTS", c.RetentionTexts, leastTexts}, {"RETENTION_EVENTS", c.RetentionEvents, leastEvents}} {
		if r.duration != 0 && r.duration < r.least {
			return fmt.Errorf("%s must be at least %s, or 0 to keep everything, not %s", r.variable, hours(r.least), r.duration)
		}
	}
	if c.RetentionTexts != 0 && (c.RetentionEvents == 0 || c.RetentionEvents > c.RetentionTexts) {
		return fmt.Errorf("RETENTION_EVENTS must not be longer than RETENTION_TEXTS (%s): webhooks hold the texts of replies", hours(c.RetentionTexts))
	}
	return nil
}

func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
