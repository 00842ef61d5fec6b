package devstack

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeGo stands in for the Go tool: it notes each build and "builds" a script, or
// fails where a file named broken says so.
const fakeGo = `#!/bin/sh
echo built >>"$BUILDS"
[ -e "$BUILDS.broken" ] && exit 1
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\n' >"$2"
chmod +x "$2"
`

func fakeCheckout(t *testing.T) (root, builds string) {
	t.Helper()
	root = t.TempDir()
	builds = filepath.Join(root, "builds")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "tools"), 0o755))
	writeTools(t, root, "module tools")
	require.NoError(t, os.WriteFile(filepath.Join(root, "go"), []byte(fakeGo), 0o755))
	t.Setenv("PATH", root+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("BUILDS", builds)
	return root, builds
}

func writeTools(t *testing.T, root, module string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(root, "tools", "go.mod"), []byte(module), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "tools", "go.sum"), nil, 0o644))
}

func countBuilds(t *testing.T, builds string) int {
	t.Helper()
	content, err := os.ReadFile(builds)
	require.NoError(t, err)
	return strings.Count(string(content), "built")
}

func TestTemporalIsBuiltOnceForEachModuleFile(t *testing.T) {
	root, builds := fakeCheckout(t)
	for range 2 {
		var progress bytes.Buffer
		path, err := BuildTemporal(t.Context(), root, &progress)
		require.NoError(t, err)
		assert.True(t, isProgram(path))
	}
	assert.Equal(t, 1, countBuilds(t, builds))

	writeTools(t, root, "module tools // a newer one")
	var progress bytes.Buffer
	_, err := BuildTemporal(t.Context(), root, &progress)
	require.NoError(t, err)
	assert.Equal(t, 2, countBuilds(t, builds))
	assert.Contains(t, progress.String(), "minutes")
}

func TestTemporalIsBuiltOnceForSeveralWhoAskAtOnce(t *testing.T) {
	root, builds := fakeCheckout(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := BuildTemporal(t.Context(), root, &bytes.Buffer{})
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, countBuilds(t, builds))
}

func TestAFailedBuildIsTriedAgain(t *testing.T) {
	root, builds := fakeCheckout(t)
	require.NoError(t, os.WriteFile(builds+".broken", nil, 0o644))
	_, err := BuildTemporal(t.Context(), root, &bytes.Buffer{})
	require.Error(t, err)
	require.NoError(t, os.Remove(builds+".broken"))
	_, err = BuildTemporal(t.Context(), root, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, 2, countBuilds(t, builds))
}
