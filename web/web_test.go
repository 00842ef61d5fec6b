package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/web"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	dashboard, err := web.New()
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	dashboard.ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(content)
}

func TestEveryScreenIsDrawnByTheOnePageThatIsAlwaysAskedFor(t *testing.T) {
	for _, path := range []string{"/app/", "/app/campaigns", "/app/contacts/0190-12"} {
		answer := get(t, path)
		assert.Equal(t, http.StatusOK, answer.StatusCode, path)
		assert.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"))
		assert.Equal(t, "no-cache", answer.Header.Get("Cache-Control"), "or a new version would not be seen")
		assert.Contains(t, body(t, answer), `<div id="app">`)
	}
	tag := get(t, "/app/").Header.Get("ETag")
	require.NotEmpty(t, tag)
	assert.Equal(t, http.StatusNotModified, get(t, "/app/", "If-None-Match", tag).StatusCode)
}

func TestTheProgramIsServedPackedAndKept(t *testing.T) {
	program := regexp.MustCompile(`/app/assets/index-[^"]+\.js`).FindString(body(t, get(t, "/app/")))
	require.NotEmpty(t, program)

	plain, packed := get(t, program), get(t, program, "Accept-Encoding", "br, gzip")

	assert.Equal(t, "public, max-age=31536000, immutable", plain.Header.Get("Cache-Control"))
	assert.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	assert.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
	reader, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	unpacked, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, body(t, plain), string(unpacked))
}

func TestAFileOfAnOlderBuildIsNotFoundInsteadOfBeingAPage(t *testing.T) {
	assert.Equal(t, http.StatusNotFound, get(t, "/app/assets/index-00000000.js").StatusCode)
}

func TestThePolicyLetsNothingForeignRun(t *testing.T) {
	policy := get(t, "/app/").Header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, body(t, get(t, "/app/")), "<style", "the policy forbids it")
}
