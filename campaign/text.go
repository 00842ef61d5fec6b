package campaign

import (
	"fmt"
	"regexp"
	"strings"
)

// MaxTextLength is WhatsApp's limit on a message, in characters.
const MaxTextLength = 4096

var placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// attributeName is what may stand between the braces, before an optional |fallback.
var attributeName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_.-]*$`)

// Render fills a message text: {{name}} and {{attribute}} with the recipient's
// variables, {{name|friend}} with the fallback where the variable is missing or
// blank. A missing variable without a fallback becomes nothing, never the raw
// braces: a contact must not see them. Variables are not rendered again.
func Render(text string, variables map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name, fallback := splitPlaceholder(match[2 : len(match)-2])
		if value := strings.TrimSpace(variables[name]); value != "" {
			return value
		}
		return fallback
	})
}

// ValidateText says what is wrong with a message text before anybody gets it.
func ValidateText(text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("must not be empty")
	}
	if n := len([]rune(text)); n > MaxTextLength {
		return fmt.Errorf("must have at most %d characters, has %d", MaxTextLength, n)
	}
	rest := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name, _ := splitPlaceholder(match[2 : len(match)-2])
		if attributeName.MatchString(name) {
			return ""
		}
		return match
	})
	if bad := placeholder.FindString(rest); bad != "" {
		return fmt.Errorf("has the placeholder %s, which names no variable; write {{name}} or {{name|fallback}}", bad)
	}
	if strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		return fmt.Errorf("has braces that do not close; write {{name}} or {{name|fallback}}")
	}
	return nil
}

func splitPlaceholder(inner string) (name, fallback string) {
	name, fallback, _ = strings.Cut(inner, "|")
	return strings.TrimSpace(name), strings.TrimSpace(fallback)
}
