package main

import (
	"time"

	"github.com/relance/relance/wassenger/simulator"
)

// conductOf is how the provider behaves. Some numbers are never on WhatsApp.
func conductOf(how what, unknown []string) simulator.Faults {
	f := simulator.Faults{UnknownPhones: unknown, Latency: simulator.Delay{Max: 60 * time.Millisecond}}
	switch how {
	case unclear:
		f.TimeoutAfterAccept, f.TimeoutBeforeAccept = 0.08, 0.06
		f.ErrorAfterAccept, f.ErrorBeforeAccept = 0.12, 0.06
		f.ResetAfterAccept, f.ResetBeforeAccept = 0.15, 0.1
	case turning:
		f.RateLimited, f.ErrorBeforeAccept = 0.5, 0.1
	case blind:
		f.LookUpFailure, f.LookUpLag = 0.5, simulator.Delay{Max: sendSettle / 2}
		f.ErrorAfterAccept, f.ResetAfterAccept = 0.2, 0.2 // so that there is something to look up
	case slow:
		f.Latency = simulator.Delay{Min: 100 * time.Millisecond, Max: 4 * time.Second, Exponential: true}
	case halt:
		f.DeviceOffline = true
	}
	return f
}
