package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/relance/relance/campaign"
)

func TestChartsTakeTheShortestUsualStepThatFits(t *testing.T) {
	for _, c := range []struct{ span, want time.Duration }{
		{0, time.Second},
		{50 * time.Second, time.Second},
		{50*time.Second + 1, 5 * time.Second},
		{48 * time.Hour, time.Hour},
		{50 * time.Hour, time.Hour},
		{72 * time.Hour, 2 * time.Hour},
		{9000 * time.Hour, 24 * time.Hour},
	} {
		assert.Equal(t, c.want, campaign.StepFor(c.span, 50), "a span of %s", c.span)
	}
}
