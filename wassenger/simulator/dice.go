package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// dice are random numbers that depend on nothing but the seed and the lot they
// are thrown for, so that a restarted simulator throws the same again.
type dice struct{ *rand.Rand }

func throw(seed uint64, lot ...string) dice {
	h := sha256.New()
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], seed)
	h.Write(word[:])
	for _, part := range lot {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	sum := h.Sum(nil)
	return dice{rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))}
}

// chance holds with probability p and always takes one number, so that
// changing p leaves the other draws of a lot as they were.
func (d dice) chance(p float64) bool { return d.Float64() < p }

func (d dice) delay(of Delay) time.Duration { return of.at(d.Float64()) }

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }
