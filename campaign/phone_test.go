package campaign_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

func TestNumbersThatWhatsAppWritesInTwoWaysAreKnownInBoth(t *testing.T) {
	for phone, other := range map[string]string{
		"+525512345678":  "+5215512345678", // Mexico
		"+541123456789":  "+5491123456789", // Argentina
		"+551187654321":  "+5511987654321", // Brazil, São Paulo
		"+33639980001":   "",
		"+5255123456789": "", // too long for Mexico without its 1
		"+55":            "",
		"":               "",
	} {
		want := []string{phone}
		if other != "" {
			want = append(want, other)
			require.Equal(t, []string{other, phone}, campaign.PhoneSpellings(other))
		}
		require.Equal(t, want, campaign.PhoneSpellings(phone))
	}
}
