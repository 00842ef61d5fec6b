//go:build race

package rehearsal_test

// raceEnabled: the race detector makes everything several times slower.
const raceEnabled = true
