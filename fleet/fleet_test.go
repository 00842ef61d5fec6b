package fleet

import (
	"os"
	"testing"
	"time"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/wassenger/simulator"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// size is how much happens.
type size struct {
	processes int // of each kind
	contacts  int

	// limit is how many messages may leave in any window. It is small enough that
	// everybody waits for it.
	limit  int
	window time.Duration

	replyWindow time.Duration

	// latency is the provider's.
	latency simulator.Delay

	// killedBusy: processes are killed while messages are on their way. Temporal
	// notices after 45 seconds, which the short form does not wait for.
	killedBusy bool
}

func chosenSize() size {
	if os.Getenv("RELANCE_SOAK") != "" {
		return size{
			processes: 10, contacts: 1000, limit: 200, window: 8 * time.Second, replyWindow: 8 * time.Second,
			latency: simulator.Delay{Min: 20 * time.Millisecond, Max: 400 * time.Millisecond}, killedBusy: true,
		}
	}
	return size{processes: 3, contacts: 150, limit: 100, window: 4 * time.Second, replyWindow: 4 * time.Second}
}

// lively contacts reply in every way there is; some more than once, some too late,
// some to Message 2.
func lively(s size) simulator.Behaviour {
	types := map[simulator.ReplyType]float64{}
	for _, kind := range simulator.ReplyTypes {
		types[kind] = 1
	}
	return simulator.Behaviour{
		DeliveryDelay: simulator.Delay{Max: 100 * time.Millisecond},
		Read:          1, ReadDelay: simulator.Delay{Max: 200 * time.Millisecond},
		Reply: 0.8, ReplyDelay: simulator.Delay{Max: s.replyWindow * 5 / 4}, ReplyTypes: types,
		ReplyAgain: 0.2, ExtraReplies: 0.3, ExtraDelay: simulator.Delay{Max: 300 * time.Millisecond}, Quote: 0.5,
	}
}

// Places in the fleet: whoever stands there meets with something.
const (
	killed  = 0
	stopped = 1
)

// Many API and many worker processes share one campaign. Every reply comes twice,
// to two of them at once; one of each kind is killed and one is stopped, and
// others take their places.
func TestManyProcessesShareTheWorkAndKeepEveryGuarantee(t *testing.T) {
	size := chosenSize()
	provider := startProvider(t, lively(size), size.latency)
	f := startFleet(t, size, provider, testenv.Temporal(t), testenv.Database(t, migrations.UpAt))
	provider.callAt(f.frontDoor(2))

	id := f.launch(size.contacts)

	provider.awaitMessages(size.contacts / 4)
	if size.killedBusy {
		f.awaitBusy()
	} else {
		f.awaitIdle()
	}
	f.kill(killed)
	provider.awaitMessages(size.contacts / 2)
	f.stop(stopped)

	provider.awaitSilence(func() error { return f.everybodyIsFinal(id) })
	f.awaitAgreement(id)
	f.requireLedger(id)
	provider.requireEveryKind()
	f.requireQuotaKept()
	f.requireWorkShared()
}
