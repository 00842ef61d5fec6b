package api

import "github.com/danielgtaylor/huma/v2"

// Document is the OpenAPI document, for tests that hold answers against it.
func (a *API) Document() *huma.OpenAPI { return a.huma.OpenAPI() }

// LimitImports bounds files of contacts to so many bytes.
func (a *API) LimitImports(bytes int64) { a.largestImport = bytes }
