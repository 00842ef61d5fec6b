package devstack

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScratchOfTheDeadIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", scratchDir(t).dir)
	dead, err := NewScratch()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dead.Path("data"), nil, 0o644))
	living, err := NewScratch()
	require.NoError(t, err)
	assert.FileExists(t, dead.Path("data"), "its owner lives")

	dead.lease.release() // as the kernel does when a process dies
	last, err := NewScratch()
	require.NoError(t, err)
	assert.NoDirExists(t, dead.dir)
	assert.DirExists(t, living.dir)
	require.NoError(t, living.Remove())
	require.NoError(t, last.Remove())
}

func TestScratchInTheMakingIsLeftAlone(t *testing.T) {
	place := scratchDir(t).dir
	t.Setenv("TMPDIR", place)
	young, old := place+"/"+scratchPrefix+"young", place+"/"+scratchPrefix+"old"
	require.NoError(t, os.Mkdir(young, 0o755))
	require.NoError(t, os.Mkdir(old, 0o755))
	yesterday := time.Now().Add(-24 * time.Hour)
	require.NoError(t, os.Chtimes(old, yesterday, yesterday))
	sweep(place)
	assert.DirExists(t, young)
	assert.NoDirExists(t, old)
}
