package campaign

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRenderFillsVariablesAndFallbacks(t *testing.T) {
	variables := map[string]string{"name": "Ana", "ville": "Lyon", "blank": "  "}
	for text, want := range map[string]string{
		"Hello {{name}}":               "Hello Ana",
		"Hello {{ name }}!":            "Hello Ana!",
		"À {{ville}}, {{name}}":        "À Lyon, Ana",
		"Hi {{first_name|friend}}":     "Hi friend",
		"Hi {{name|friend}}":           "Hi Ana",
		"Hi {{blank|friend}}":          "Hi friend",
		"Hi {{missing}}.":              "Hi .",
		"Hi {{missing|}}.":             "Hi .",
		"{{name|a|b}} {{missing|a|b}}": "Ana a|b",
		"no variables, { } and {name}": "no variables, { } and {name}",
	} {
		require.Equal(t, want, Render(text, variables), text)
	}
}

func TestRenderedValueIsNotRenderedAgain(t *testing.T) {
	require.Equal(t, "{{secret}}", Render("{{name}}", map[string]string{"name": "{{secret}}", "secret": "x"}))
}

func TestValidTextNeverShowsBracesToAContact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z{}| ]{0,24}`).Draw(t, "text")
		if ValidateText(text) != nil {
			t.Skip("not a valid text")
		}
		rendered := Render(text, nil)
		require.False(t, strings.Contains(rendered, "{{") && strings.Contains(rendered, "}}"), "%q became %q", text, rendered)
	})
}

func TestValidateTextSaysWhatIsWrong(t *testing.T) {
	require.NoError(t, ValidateText("Bonjour {{prénom|vous}}, {{name}}"))
	require.NoError(t, ValidateText(strings.Repeat("é", MaxTextLength)))
	for text, want := range map[string]string{
		"":                                   "empty",
		" \n":                                "empty",
		strings.Repeat("é", MaxTextLength+1): "at most 4096",
		"Hello {{}}":                         "names no variable",
		"Hello {{1st}}":                      "names no variable",
		"Hello {{name}":                      "do not close",
		"Hello name}}":                       "do not close",
	} {
		require.ErrorContains(t, ValidateText(text), want)
	}
}
