package api

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCountingCallersTakesBoundedMemory(t *testing.T) {
	c, at := newCallers(1), time.Now()
	busy := sha256.Sum256([]byte("busy"))
	for i := range 3 * mostCallers {
		at = at.Add(time.Millisecond) // so that those of a second ago are idle again
		c.take(busy, at)
		c.take(sha256.Sum256(fmt.Append(nil, i)), at)
	}
	assert.LessOrEqual(t, len(c.limiters), mostCallers)
	_, allowed := c.take(busy, at)
	assert.False(t, allowed, "who is busy is not forgotten with the idle")

	for i := range 3 * mostCallers {
		c.take(sha256.Sum256(fmt.Append(nil, i)), at)
	}
	assert.LessOrEqual(t, len(c.limiters), mostCallers, "not even when nobody is idle")
}
