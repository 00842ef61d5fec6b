package bench

import (
	"os"
	"strconv"
)

// scale makes benchmarks smaller while one works on them: SCALE=0.05 plays
// campaigns of a twentieth of the size. Such figures are good for nothing else.
func scale() float64 {
	if given, err := strconv.ParseFloat(os.Getenv("SCALE"), 64); err == nil && given > 0 {
		return given
	}
	return 1
}

// sized is a number of contacts or acts at the scale of this run.
func sized(n int) int { return max(1, int(float64(n)*scale())) }
