package campaign

import "time"

// stepWidths are lengths of time that people think in.
var stepWidths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second,
	time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour,
}

// StepFor is the shortest usual length of time of which at most n fill the
// given span, for charts; a day when even that is too short.
func StepFor(span time.Duration, n int) time.Duration {
	for _, width := range stepWidths {
		if span <= width*time.Duration(n) {
			return width
		}
	}
	return 24 * time.Hour
}
