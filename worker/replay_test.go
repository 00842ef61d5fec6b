package worker_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/worker"
)

// Every recorded history must lead this build to the same commands. One that
// does not means that runs which are alive at deployment would get stuck: gate
// the change with a version (workflows/versions.go), never record the history anew.
func TestEveryRecordedHistoryReplays(t *testing.T) {
	files, err := filepath.Glob("../workflows/testdata/histories/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files, "make histories")
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			logger := tlog.NewStructuredLogger(slog.New(slog.DiscardHandler))
			for _, keys := range []string{"", codecKey("switched-on-since", 1)} {
				replayer, err := worker.NewReplayer(newCodec(t, keys))
				require.NoError(t, err)
				require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(logger, file))
			}
		})
	}
}
