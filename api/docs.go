package api

import (
	"embed"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

// page is the documentation page. It brings everything along: it works without
// an internet, and its policy lets it load nothing from elsewhere.
//
//go:embed docs
var page embed.FS

const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docs serves the OpenAPI document and the pages that explain it, to anybody.
func (a *API) docs() error {
	problems, err := drawProblems()
	if err != nil {
		return fmt.Errorf("drawing the page of problems: %w", err)
	}
	a.router.GET("/docs/problems", func(c *gin.Context) {
		c.Header("Content-Security-Policy", pagePolicy)
		c.Data(http.StatusOK, "text/html; charset=utf-8", problems)
	})
	a.router.GET("/openapi.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/openapi+json", a.openAPI)
	})
	for path, file := range map[string]struct{ name, contentType string }{
		"/docs":          {"docs/index.html", "text/html; charset=utf-8"},
		"/docs/docs.css": {"docs/docs.css", "text/css; charset=utf-8"},
		"/docs/docs.js":  {"docs/docs.js", "text/javascript; charset=utf-8"},
	} {
		a.router.GET(path, func(c *gin.Context) {
			content, err := page.ReadFile(file.name)
			if err != nil {
				panic(err) // it is part of the binary
			}
			c.Header("Content-Security-Policy", pagePolicy)
			c.Data(http.StatusOK, file.contentType, content)
		})
	}
	return nil
}
