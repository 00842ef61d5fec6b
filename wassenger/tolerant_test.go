package wassenger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMomentIsReadInEveryRecordedForm(t *testing.T) {
	for _, json := range []string{
		`1765642500`, `1765642500000`, `"1765642500"`, `"1765642500000"`, `1765642500.0`,
		`"2025-12-13T16:15:00.000Z"`, `"2025-12-13T17:15:00+01:00"`, `"2025-12-13T16:15:00"`, `" 2025-12-13 16:15:00 "`,
	} {
		var m moment
		require.NoError(t, decode([]byte(json), &m))
		assert.Equal(t, time.Date(2025, 12, 13, 16, 15, 0, 0, time.UTC), m.Time, json)
	}
}

func TestANonsenseMomentIsNoMoment(t *testing.T) {
	for _, json := range []string{
		`null`, `""`, `0`, `-5`, `1e300`, `"NaN"`, `"soon"`, `true`, `{}`, `[]`, `"9999-12-31T23:59:59-05:00"`, `"0001-01-01T00:00:00Z"`,
	} {
		var m moment
		require.NoError(t, decode([]byte(json), &m))
		assert.True(t, m.IsZero(), json)
	}
}

func TestAPhoneIsReadFromNumbersAndIdsButNotFromHiddenOnes(t *testing.T) {
	const phone = "+33639981122"
	tests := []struct {
		candidate, hidden text
		want              string
	}{
		{"+33639981122", "", phone},
		{"33639981122", "", phone},
		{"0033639981122", "", phone},
		{" +33 6 39-98 (11) 22 ", "", phone},
		{"33639981122@c.us", "", phone},
		{"33639981122@lid", "", ""},
		{"33639981122@g.us", "", ""},
		{"33639981122", "33639981122@lid", ""},
		{"+33639981122", "123456789012345@lid", phone},
		{"", "", ""}, {"Ana", "", ""}, {"0639981122", "", ""}, {"1234567", "", ""}, {"1234567890123456", "", ""},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, firstPhone([]text{tt.hidden}, tt.candidate), "%s, %s hidden", tt.candidate, tt.hidden)
	}
	assert.Equal(t, phone, firstPhone(nil, "x@lid", "", phone))
}
