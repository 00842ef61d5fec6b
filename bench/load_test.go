package bench

import (
	"errors"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSteadyLoadIsSpacedEvenly(t *testing.T) {
	require.Equal(t, schedule{0, 250 * time.Millisecond, 500 * time.Millisecond, 750 * time.Millisecond}, steady(4, time.Second))
}

func TestAStallCountsForAllThatHadToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := make(chan struct{}, 1) // a mutex would stop the bubble's clock
		l := steady(10, time.Second).run(func(i int) error {
			door <- struct{}{}
			defer func() { <-door }()
			if i == 0 {
				time.Sleep(550 * time.Millisecond)
			}
			return nil
		})
		for i, latency := range l.latencies {
			require.Equal(t, max(0, 550*time.Millisecond-time.Duration(i)*100*time.Millisecond), latency)
		}
		require.Equal(t, 900*time.Millisecond, l.lasted)
	})
}

func TestFullSpeedIsBoundByItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := atFullSpeed(6, 2, func(int) error {
			time.Sleep(time.Second)
			return nil
		})
		require.Equal(t, 3*time.Second, l.lasted)
		require.ElementsMatch(t, schedule{0, 0, time.Second, time.Second, 2 * time.Second, 2 * time.Second}, l.schedule)
		require.Equal(t, latencies{time.Second, time.Second, time.Second, time.Second, time.Second, time.Second}, l.latencies)
	})
}

func TestFailuresAreKept(t *testing.T) {
	refused := errors.New("refused")
	l := steady(1000, 10*time.Millisecond).run(func(i int) error {
		if i == 3 {
			return refused
		}
		return nil
	})
	require.Len(t, l.errors, 1)
	require.EqualError(t, l.failure(), "1 of 10 failed, the first being number 3: refused")
	require.ErrorIs(t, l.failure(), refused)
}

func TestPercentilesAreTimesThatOccurred(t *testing.T) {
	var l latencies
	for i := 200; i > 0; i-- {
		l = append(l, time.Duration(i))
	}
	require.Equal(t, summary{p50: 100, p99: 198, longest: 200}, l.summary())
	require.Equal(t, summary{p50: 7, p99: 7, longest: 7}, latencies{7}.summary())
	require.Zero(t, latencies{}.summary())
}

func TestProcessorTimeIsCountedByProgram(t *testing.T) {
	before := cpuUsed()
	if len(before) == 0 {
		t.Skip("there is no /proc here")
	}
	child := exec.Command("/bin/sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; read -r _")
	input, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer func() {
		require.NoError(t, input.Close())
		_ = child.Wait() // read fails at the end of its input
	}()
	require.Eventually(t, func() bool { return cpuUsed().since(before)["sh"] >= 50*time.Millisecond }, 20*time.Second, 10*time.Millisecond)
}
