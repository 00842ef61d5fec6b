package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	script  = regexp.MustCompile("(?s)```.*?```")
	quoted  = regexp.MustCompile("`([^`\n]+)`")
	// file is a path below a folder of ours, and named something of a package of ours.
	file  = regexp.MustCompile(`^([a-z]+)/[\w./-]*$`)
	named = regexp.MustCompile(`^([a-z]+)\.(?:[A-Z]\w*\.)*([A-Z]\w*)$`)
)

// documents are all that we have, with what they say.
func documents(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, pattern := range []string{"../*.md", "*.md", "../bench/*.md"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, path := range paths {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			said[path] = script.ReplaceAllString(string(content), "")
		}
	}
	require.Greater(t, len(said), 10)
	return said
}

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	followed := 0
	for document, said := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(said, -1) {
			path, anchor, _ := strings.Cut(match[1]+match[2], "#")
			if strings.Contains(path, ":") {
				continue // to another site
			}
			target := document
			if path != "" {
				target = filepath.Join(filepath.Dir(document), path)
			}
			require.FileExists(t, target, "%s links to it", document)
			if anchor != "" {
				require.Contains(t, anchors(t, target), anchor, "%s links to it in %s", document, target)
			}
			followed++
		}
	}
	require.Greater(t, followed, 50)
}

// anchors are the headings of a document as a link names them.
func anchors(t *testing.T, document string) (anchors []string) {
	t.Helper()
	content, err := os.ReadFile(document)
	require.NoError(t, err)
	for _, match := range heading.FindAllStringSubmatch(script.ReplaceAllString(string(content), ""), -1) {
		words := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(match[1]), "")
		anchors = append(anchors, strings.ReplaceAll(words, " ", "-"))
	}
	return anchors
}

// A path such as `store/control.go` and a name such as `campaign.WishOf`.
func TestEveryFileAndNameOfCodeThatTheDocumentsGiveExists(t *testing.T) {
	found := 0
	for document, said := range documents(t) {
		for _, match := range quoted.FindAllStringSubmatch(said, -1) {
			if path := file.FindStringSubmatch(match[1]); path != nil && isFolder(path[1]) {
				_, err := os.Stat(filepath.Join("..", path[0]))
				require.NoError(t, err, "%s names it", document)
				found++
			}
			if name := named.FindStringSubmatch(match[1]); name != nil && isFolder(name[1]) {
				require.Regexp(t, `\b`+name[2]+`\b`, code(t, name[1]), "%s names %s", document, name[0])
				found++
			}
		}
	}
	require.Greater(t, found, 50)
}

// isFolder holds for folders of the repository; bin is what make build makes.
func isFolder(name string) bool {
	info, err := os.Stat(filepath.Join("..", name))
	return err == nil && info.IsDir() && name != "bin"
}

// code is that of a package, without its tests.
func code(t *testing.T, folder string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	require.NoError(t, err)
	var text strings.Builder
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		text.Write(content)
	}
	return text.String()
}

func TestEveryFolderIsInTheArchitecture(t *testing.T) {
	content, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	entries, err := os.ReadDir("..")
	require.NoError(t, err)
	for _, entry := range entries {
		if name := entry.Name(); isFolder(name) && !strings.HasPrefix(name, ".") {
			require.Regexp(t, "(?m)^\\|.*`"+name+"/.*\\|", string(content))
		}
	}
}
