package fleet

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tick = 100 * time.Millisecond

// patience is how long a test waits for what must happen: Temporal repeats what a
// killed worker was sending after 45 seconds, on a machine with much to do.
var patience = chosenPatience()

func chosenPatience() time.Duration {
	if os.Getenv("RELANCE_SOAK") != "" {
		return 20 * time.Minute
	}
	return 5 * time.Minute
}

// await repeats an attempt until it succeeds.
func await(t testing.TB, what string, attempt func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := attempt()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			require.NoError(t, err, "waiting for %s", what)
		case <-time.After(tick):
		}
	}
}

// background runs something until the test ends.
func background(t testing.TB, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
}

// call makes one request, an admin's where that matters.
func call(ctx context.Context, client *http.Client, method, url, contentType, body string) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
