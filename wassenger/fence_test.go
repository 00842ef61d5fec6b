package wassenger

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRequestIsNotCompletedAfterItsTimeHasPassed(t *testing.T) {
	for name, text := range map[string]string{
		"a short text":                    "Hello",
		"a text beyond net/http's buffer": strings.Repeat("long ", 4000),
	} {
		t.Run(name, func(t *testing.T) {
			var complete atomic.Int32
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err == nil && r.ContentLength > 0 {
					buffer := make([]byte, r.ContentLength)
					n := 0
					for {
						m, err := r.Body.Read(buffer[n:])
						n += m
						if err != nil {
							break
						}
					}
					if int64(n) == r.ContentLength {
						complete.Add(1)
					}
				}
			}))
			defer provider.Close()
			client, err := New(Options{BaseURL: provider.URL, Token: "token", DeviceID: "device"})
			require.NoError(t, err)

			_, err = client.Send(t.Context(), Outgoing{Phone: "+33639980000", Text: text, Reference: "r", NotAfter: time.Now().Add(-time.Millisecond)})

			require.ErrorIs(t, err, errTooLate)
			require.Equal(t, Unknown, ClassOf(err), "bytes may have been written, but not all of them")
			provider.Close() // waits for the handler
			require.Zero(t, complete.Load())
		})
	}
}
