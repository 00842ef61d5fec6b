package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/store"
)

// reach is who gets past the door of a route.
type reach string

const (
	anybody     reach = "anybody"
	users       reach = "users" // admins and super_admins alike
	superAdmins reach = "super_admins"
	byWebhook   reach = "the webhook's token"
)

// access is every route there is. A new one must be put here on purpose.
var access = map[string]reach{
	"POST /auth/login": anybody, "GET /healthz": anybody, "GET /readyz": anybody, "GET /openapi.json": anybody,
	"GET /docs": anybody, "GET /docs/docs.js": anybody, "GET /docs/docs.css": anybody, "GET /docs/problems": anybody,
	"GET /": anybody, "GET /app/*path": anybody, "HEAD /app/*path": anybody,

	"POST /webhooks/wassenger": byWebhook,

	"GET /users": superAdmins, "POST /users": superAdmins, "PATCH /users/{id}": superAdmins,

	"POST /auth/logout": users, "GET /auth/me": users, "POST /auth/password": users,
	"GET /auth/sessions": users, "DELETE /auth/sessions": users, "DELETE /auth/sessions/{id}": users,
	"GET /tokens": users, "POST /tokens": users, "DELETE /tokens/{id}": users,
	"GET /audit": users,

	"GET /contacts": users, "POST /contacts": users, "POST /contacts/import": users,
	"GET /contacts/{id}": users, "PUT /contacts/{id}": users, "DELETE /contacts/{id}": users,
	"POST /contacts/{id}/opt-out": users, "POST /contacts/{id}/opt-in": users, "GET /contacts/{id}/timeline": users,
	"GET /contacts/{id}/personal-data": users, "POST /contacts/{id}/erase": users,
	"GET /contacts/export.csv": users,
	"GET /imports":             users, "GET /imports/{id}": users, "GET /imports/{id}/errors.csv": users,

	"GET /categories": users, "POST /categories": users,
	"GET /categories/{id}": users, "PUT /categories/{id}": users, "DELETE /categories/{id}": users,
	"POST /categories/{id}/contacts": users, "DELETE /categories/{id}/contacts": users,

	"POST /campaigns/start": users, "POST /campaigns/forecast": users, "POST /campaigns/rehearse": users,
	"GET /campaigns": users, "POST /campaigns": users, "GET /campaigns/{id}": users,
	"PUT /campaigns/{id}": users, "DELETE /campaigns/{id}": users, "GET /campaigns/{id}/recipients.csv": users, "GET /campaigns/{id}/results.csv": users,
	"GET /campaigns/{id}/events": users, "GET /events": users, "GET /messages": users, "GET /messages/stats": users,
	"GET /campaigns/{id}/stats": users, "GET /campaigns/{id}/recipients": users, "GET /campaigns/{id}/course": users,
	"POST /campaigns/{id}/start": users, "POST /campaigns/{id}/pause": users, "POST /campaigns/{id}/resume": users,
	"POST /campaigns/{id}/cancel": users, "POST /campaigns/{id}/retry-failed": users, "POST /campaigns/{id}/test-send": users,

	"GET /monitoring": users,
}

func TestEveryRouteIsInTheTableAndNothingElse(t *testing.T) {
	routes := serve(t).api.Routes()
	for _, route := range routes {
		assert.NotEmpty(t, access[route], "%s: say in the table who may call it", route)
	}
	for route := range access {
		assert.Contains(t, routes, route)
	}
}

// as makes a user with a role and returns what makes a request theirs.
func (s *server) as(role store.Role) (store.User, header) {
	s.t.Helper()
	user, err := s.store.CreateUser(s.t.Context(), uuid.NewString()+"@example.com", adminPassword, role)
	require.NoError(s.t, err)
	_, token, err := s.store.CreateToken(s.t.Context(), user.ID, "test")
	require.NoError(s.t, err)
	return user, header{"Authorization", "Bearer " + token}
}

func TestEveryRouteLetsInWhomTheTableNames(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.TrustedProxies = []string{"127.0.0.1"} })
	_, admin := s.as(store.Admin)
	_, superAdmin := s.as(store.SuperAdmin)
	requests := 0
	elsewhere := func(headers ...header) []header { // so many wrong tokens are not taken from one place
		requests++
		return append(headers, header{"X-Forwarded-For", fmt.Sprintf("10.0.%d.%d", requests/256, requests%256)})
	}
	for route, who := range access {
		t.Run(route, func(t *testing.T) {
			s.t = t
			method, path, _ := strings.Cut(route, " ")
			path = strings.ReplaceAll(path, "{id}", uuid.NewString())
			status := func(headers ...header) int { return s.call(method, path, nil, elsewhere(headers...)...).status }

			strangers := []header{nobody, {"Authorization", "Bearer wrong-token-of-somebody"}, {"Authorization", "Bearer "},
				{"Authorization", "Basic YTpi"}, {"Authorization", adminToken}}
			for _, stranger := range strangers {
				if who == anybody {
					assert.NotContains(t, []int{401, 403}, status(stranger))
					continue
				}
				p := s.call(method, path, nil, elsewhere(stranger)...).problem(http.StatusUnauthorized)
				assert.Empty(t, p.Errors)
			}
			withCookie := status(nobody, header{"Cookie", "relance_session=wrong"})
			assert.Equal(t, who != anybody, withCookie == http.StatusUnauthorized)

			assert.Equal(t, who == superAdmins, status(admin) == http.StatusForbidden, "an admin is refused user management and nothing else")
			if who != byWebhook {
				assert.NotContains(t, []int{401, 403}, status(superAdmin))
			}
		})
	}
}

func TestATokenOfAnotherIsOutOfAnAdminsReach(t *testing.T) {
	s := serve(t)
	owner, ownersToken := s.as(store.Admin)
	_, admin := s.as(store.Admin)
	_, superAdmin := s.as(store.SuperAdmin)
	theirs := read[page[struct{ ID uuid.UUID }]](s.call("GET", "/tokens", nil, ownersToken), 200).Items
	require.Len(t, theirs, 1)
	path, ofOwner := "/tokens/"+theirs[0].ID.String(), "?user_id="+owner.ID.String()

	s.call("GET", "/tokens"+ofOwner, nil, admin).problem(403)
	s.call("DELETE", path+ofOwner, nil, admin).problem(403)
	s.call("DELETE", path, nil, admin).problem(404)
	s.call("DELETE", path, nil, superAdmin).problem(404)
	assert.Len(t, read[page[object]](s.call("GET", "/tokens"+ofOwner, nil, superAdmin), 200).Items, 1)
	assert.Equal(t, 204, s.call("DELETE", path+ofOwner, nil, superAdmin).status)
	s.call("GET", "/tokens", nil, ownersToken).problem(401)
}

// bodied lists the documented operations that take a JSON body, with the
// properties of that body.
func (s *server) bodied() []string {
	var routes []string
	for _, route := range s.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if op := s.operation(method, path); op != nil && op.RequestBody != nil && access[route] != byWebhook {
			if op.RequestBody.Content["application/json"] != nil {
				routes = append(routes, route)
			}
		}
	}
	slices.Sort(routes)
	return routes
}
