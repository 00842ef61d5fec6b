package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// dashboard serves the dashboard to anybody: it shows nothing before a login.
func (a *API) dashboard() {
	if a.options.Dashboard == nil {
		return
	}
	a.router.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, "/app/") })
	serve := gin.WrapH(a.options.Dashboard)
	a.router.GET("/app/*path", serve)
	a.router.HEAD("/app/*path", serve)
}
