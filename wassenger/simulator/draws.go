package simulator

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// faultBox holds the faults and draws from them. Draws follow the seed, in the
// order in which requests arrive.
type faultBox struct {
	mu     sync.Mutex
	faults Faults
	seed   uint64
	dice   dice
}

func (b *faultBox) reset(seed uint64, f Faults) {
	b.seed, b.dice = seed, throw(seed, "faults")
	b.set(f)
}

func (b *faultBox) set(f Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f.clone()
}

func (b *faultBox) refuse(refuse bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults.RefuseConnections = refuse
}

func (b *faultBox) push(n Next) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.faults.clone()
	f.Next = append(f.Next, n)
	if err := f.validate(); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	b.faults = f
	return nil
}

func (b *faultBox) current() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults.clone()
}

func (f Faults) clone() Faults {
	f.UnknownPhones, f.Next = slices.Clone(f.UnknownPhones), slices.Clone(f.Next)
	return f
}

// ofSend draws what goes wrong with one send.
func (b *faultBox) ofSend() (Fault, Faults) {
	return b.draw(func(n Next) bool { return n.Fault != LookUpFailure }, sendFaults)
}

// ofLookUp draws what goes wrong with one look-up.
func (b *faultBox) ofLookUp() (Fault, Faults) {
	return b.draw(func(n Next) bool { return n.Fault == LookUpFailure }, []Fault{LookUpFailure})
}

// draw gives the first entry of Next that concerns the request, else the fault
// whose share, the shares laid end to end, covers one random number.
func (b *faultBox) draw(concerns func(Next) bool, among []Fault) (Fault, Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults.DeviceOffline && slices.Contains(among, Halted) {
		return Halted, b.faults
	}
	if i := slices.IndexFunc(b.faults.Next, concerns); i >= 0 {
		return b.takeNext(i), b.faults
	}
	u := b.dice.Float64()
	for _, fault := range among {
		if u < b.faults.share(fault) {
			return fault, b.faults
		}
		u -= b.faults.share(fault)
	}
	return NoFault, b.faults
}

// takeNext uses up one request of an entry of Next.
func (b *faultBox) takeNext(i int) Fault {
	n := &b.faults.Next[i]
	fault := n.Fault
	if n.Requests--; n.Requests == 0 {
		b.faults.Next = slices.Delete(b.faults.Next, i, i+1)
	}
	return fault
}

func (b *faultBox) latency() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dice.delay(b.faults.Latency)
}

// isUnknown reports whether a number is not on WhatsApp.
func (f Faults) isUnknown(seed uint64, phone string) bool {
	return slices.Contains(f.UnknownPhones, phone) || throw(seed, "unknown", phone).chance(f.UnknownNumbers)
}

// lists reports whether a message of that age shows in look-ups already.
func (f Faults) lists(seed uint64, m Message, age time.Duration) bool {
	return f.LookUpLag == (Delay{}) || age >= throw(seed, "lag", m.ID).delay(f.LookUpLag)
}
