package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/licences.md anew")

// allowed are the licences that what we pass on may have: all of them let a
// program under the Apache License contain what is under them.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"}

// unstated are modules that come without any licence. Whoever adds one has asked.
var unstated = map[string]string{
	"github.com/nexus-rpc/nexus-proto-annotations": "none stated (an import of Temporal's own API module, by the same people)",
}

// What is in the binary, the dashboard included, is listed with its licence, and no
// licence is among them that nobody has decided on.
func TestEveryLicenceIsListedAndAllowed(t *testing.T) {
	var list strings.Builder
	list.WriteString("# Licences\n\nRelance is under the [Apache License 2.0](../LICENSE). What its binary contains of others, the dashboard included; " +
		"made by `make licences`, and a test fails when it is no longer so.\n\n| what | version | licence |\n|---|---|---|\n")
	for _, contained := range append(goModules(t), webPackages(t)...) {
		if contained.licence != unstated[contained.name] {
			require.Subset(t, allowed, strings.Split(contained.licence, ", "), "the licence of %s is not among those allowed", contained.name)
		}
		fmt.Fprintf(&list, "| %s | %s | %s |\n", contained.name, contained.version, contained.licence)
	}
	if *update {
		require.NoError(t, os.WriteFile("licences.md", []byte(list.String()), 0o644))
	}
	written, err := os.ReadFile("licences.md")
	require.NoError(t, err)
	require.Equal(t, list.String(), string(written), "run make licences")
}

type dependency struct{ name, version, licence string }

// goModules are those with a package in the binary, as it is built for Linux.
func goModules(t *testing.T) []dependency {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/relance")
	list.Dir, list.Stderr = "..", os.Stderr
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	output, err := list.Output()
	require.NoError(t, err)
	modules := []dependency{{"the Go standard library", "that of go.mod", "BSD-3-Clause"}}
	for _, line := range slices.Compact(slices.Sorted(strings.Lines(string(output)))) {
		if words := strings.Fields(line); len(words) == 3 {
			modules = append(modules, dependency{words[0], words[1], licenceIn(t, words[0], words[2])})
		}
	}
	return modules
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)`)

// licenceIn names the licences that a module's folder has the texts of.
func licenceIn(t *testing.T, module, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	found := map[string]bool{}
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		for _, match := range licensecheck.Scan(text).Match {
			found[match.ID] = true
		}
	}
	if why, known := unstated[module]; known && len(found) == 0 {
		return why
	}
	require.NotEmpty(t, found, "no licence is known of %s", module)
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}

// webPackages are those that the dashboard is built from, and with none of what
// only builds it.
func webPackages(t *testing.T) []dependency {
	t.Helper()
	content, err := os.ReadFile("../web/package-lock.json")
	require.NoError(t, err)
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev              bool
		}
	}
	require.NoError(t, json.Unmarshal(content, &lock))
	var packages []dependency
	for _, path := range slices.Sorted(maps.Keys(lock.Packages)) {
		if p := lock.Packages[path]; path != "" && !p.Dev {
			packages = append(packages, dependency{strings.TrimPrefix(path, "node_modules/") + " (npm)", p.Version, p.License})
		}
	}
	return packages
}
