package campaign

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The dashboard shows messages before they leave, and renders them itself
// (web/src/launch/rendering.ts). Both are held against the same cases.
func TestRenderingIsWhatTheDashboardShows(t *testing.T) {
	raw, err := os.ReadFile("testdata/rendering.json")
	require.NoError(t, err)
	var cases []struct {
		About, Template, Result, Problem string
		Variables                        map[string]string
		Times                            int // how often both texts are repeated, once if left out
	}
	require.NoError(t, json.Unmarshal(raw, &cases))
	require.NotEmpty(t, cases)
	problems := map[string]string{
		"empty": "must not be empty", "long": "at most 4096", "placeholder": "names no variable", "braces": "do not close",
	}
	for _, c := range cases {
		t.Run(c.About, func(t *testing.T) {
			times := max(c.Times, 1)
			template := strings.Repeat(c.Template, times)
			assert.Equal(t, strings.Repeat(c.Result, times), Render(template, c.Variables))
			err := ValidateText(template)
			if c.Problem == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, problems[c.Problem])
			}
		})
	}
}
