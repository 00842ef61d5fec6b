package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Delay is a random length of time, in JSON {"min":"50ms","max":"2s"} with
// "exponential":true where wanted. A Max below Min makes it exactly Min.
type Delay struct {
	Min, Max time.Duration
	// Exponential draws many short and few long times instead of a uniform
	// length: Min plus an exponential time of mean (Max-Min)/3, cut at Max.
	Exponential bool
}

// at turns u, uniform in [0, 1), into a length of time.
func (d Delay) at(u float64) time.Duration {
	span := float64(max(d.Max-d.Min, 0))
	if d.Exponential {
		return d.Min + time.Duration(min(-math.Log1p(-u)*span/3, span))
	}
	return d.Min + time.Duration(u*span)
}

func (d Delay) validate() error {
	if d.Min < 0 || d.Max < 0 {
		return fmt.Errorf("a delay must not be negative, is %s to %s", d.Min, d.Max)
	}
	return nil
}

type delayJSON struct {
	Min         string `json:"min"`
	Max         string `json:"max"`
	Exponential bool   `json:"exponential,omitempty"`
}

// MarshalJSON writes durations the way Go does, such as "1.5s".
func (d Delay) MarshalJSON() ([]byte, error) {
	return json.Marshal(delayJSON{Min: d.Min.String(), Max: d.Max.String(), Exponential: d.Exponential})
}

// UnmarshalJSON reads what MarshalJSON writes; a missing bound is 0.
func (d *Delay) UnmarshalJSON(data []byte) error {
	var in delayJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("a delay must look like {\"min\":\"50ms\",\"max\":\"2s\"}: %w", err)
	}
	var err error
	if d.Min, err = duration(in.Min); err != nil {
		return err
	}
	d.Max, err = duration(in.Max)
	d.Exponential = in.Exponential
	return err
}

func duration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	return time.ParseDuration(s)
}
