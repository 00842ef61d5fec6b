package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/deploy"
	"github.com/relance/relance/devstack"
)

func compose(t *testing.T, environment map[string]string) *types.Project {
	t.Helper()
	project, err := deploy.Compose(t.Context(), environment)
	require.NoError(t, err)
	return project
}

func root(t *testing.T) string {
	t.Helper()
	folder, err := devstack.FindRoot()
	require.NoError(t, err)
	return folder
}

// isRelance: the service runs what the Dockerfile builds.
func isRelance(service types.ServiceConfig) bool { return service.Build != nil }

// endsByItself: the service does something once.
func endsByItself(service types.ServiceConfig) bool {
	return strings.HasPrefix(service.Restart, "on-failure")
}

func TestEverythingThatTheTopologyNeedsIsThere(t *testing.T) {
	project := compose(t, nil)
	var always []string
	profiles := map[string]string{}
	for name, service := range project.Services {
		if len(service.Profiles) == 0 {
			always = append(always, name)
		} else {
			profiles[name] = strings.Join(service.Profiles, " ")
		}
	}
	slices.Sort(always)
	assert.Equal(t, []string{"api", "entry", "migrate", "postgres", "redis", "temporal", "temporal-schema", "temporal-setup", "temporal-ui", "worker"}, always)
	assert.Equal(t, map[string]string{"simulator": "simulator", "prometheus": "observe", "alertmanager": "observe", "grafana": "observe"}, profiles)
	for _, name := range []string{"api", "worker"} {
		assert.Equal(t, 2, *project.Services[name].Deploy.Replicas, name)
		for _, needed := range []string{"migrate", "temporal-setup"} {
			assert.Equal(t, types.ServiceConditionCompletedSuccessfully, project.Services[name].DependsOn[needed].Condition, name)
		}
	}
}

// pinned is an image at one version, from the registry that the engine asks by itself.
var pinned = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9-]+)?:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)

func TestEveryVersionIsPinnedAndNoRegistryIsNamed(t *testing.T) {
	for name, service := range compose(t, nil).Services {
		if isRelance(service) {
			assert.Equal(t, "relance:dev", service.Image, name)
			continue
		}
		assert.Regexp(t, pinned, service.Image, name)
	}
	instructions, err := deploy.Dockerfile()
	require.NoError(t, err)
	for _, each := range instructions {
		if image, _, _ := strings.Cut(each.Text, " "); each.Name == "FROM" && image != "scratch" {
			assert.Regexp(t, pinned, image)
		}
	}
}

func TestNoContainerMayDoMoreThanItNeeds(t *testing.T) {
	writes := []string{"temporal-ui"} // says why
	for name, service := range compose(t, nil).Services {
		assert.Equal(t, !slices.Contains(writes, name), service.ReadOnly, name)
		assert.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
		assert.False(t, service.Privileged, name)
		for _, port := range service.Ports {
			assert.Equal(t, "127.0.0.1", port.HostIP, "%s: what the machine's neighbours reach is for whoever runs it to decide", name)
		}
		if isRelance(service) {
			assert.Equal(t, []string{"ALL"}, service.CapDrop, name)
		}
	}
}

func TestEveryServiceThatGoesOnIsAskedForItsHealth(t *testing.T) {
	unasked := []string{"temporal-ui"} // nothing waits for it
	for name, service := range compose(t, nil).Services {
		if endsByItself(service) || slices.Contains(unasked, name) {
			continue
		}
		if isRelance(service) && service.HealthCheck == nil {
			continue // the image's own, see the Dockerfile's test
		}
		require.NotNil(t, service.HealthCheck, name)
		assert.False(t, service.HealthCheck.Disable, name)
		assert.NotEmpty(t, service.HealthCheck.Test, name)
	}
}

func TestOneShotServicesAreWaitedForUntilTheyAreDoneAndOthersUntilTheyAreHealthy(t *testing.T) {
	project := compose(t, nil)
	for name, service := range project.Services {
		for needed, how := range service.DependsOn {
			want := types.ServiceConditionHealthy
			if endsByItself(project.Services[needed]) {
				want = types.ServiceConditionCompletedSuccessfully
			}
			assert.Equal(t, want, how.Condition, "%s waits for %s", name, needed)
		}
	}
}

var secret = regexp.MustCompile(`PASSWORD|TOKEN|SECRET|PWD`)

// Out of the box every secret says what it is for; whoever sets them all in .env has
// none left that was published here.
func TestNoSecretIsBakedIn(t *testing.T) {
	set := map[string]string{}
	asked := regexp.MustCompile(`\$\{([A-Z_]+)`)
	content, err := os.ReadFile(filepath.Join(root(t), "docker-compose.yml"))
	require.NoError(t, err)
	for _, match := range asked.FindAllStringSubmatch(string(content), -1) {
		if secret.MatchString(match[1]) {
			set[match[1]] = "from-the-environment"
		}
	}
	require.NotEmpty(t, set)
	byDefault, overridden := compose(t, nil), compose(t, set)
	for name, service := range byDefault.Services {
		for variable, value := range service.Environment {
			if value == nil || !secret.MatchString(variable) && variable != "DATABASE_URL" {
				continue
			}
			assert.Contains(t, *value, "development-only", "%s %s", name, variable)
			assert.Contains(t, *overridden.Services[name].Environment[variable], "from-the-environment", "%s %s", name, variable)
		}
	}
	for name, service := range overridden.Services {
		for variable, value := range maps.All(service.Environment) {
			if value != nil {
				assert.NotContains(t, *value, "development-only", "%s %s", name, variable)
			}
		}
	}
}

func TestEveryFileThatIsMountedIsThere(t *testing.T) {
	for name, service := range compose(t, nil).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			assert.True(t, volume.ReadOnly, "%s %s", name, volume.Source)
			_, err := os.Stat(volume.Source)
			assert.NoError(t, err, name)
		}
	}
}

func TestTheImageHoldsNoShellAndNoRoot(t *testing.T) {
	instructions, err := deploy.Dockerfile()
	require.NoError(t, err)
	last := slices.IndexFunc(instructions, func(i deploy.Instruction) bool { return i.Name == "FROM" && i.Text == "scratch" })
	require.Positive(t, last)
	found := map[string]string{}
	for _, each := range instructions[last:] {
		found[each.Name] = each.Text
	}
	assert.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, found["USER"])
	assert.Equal(t, `["relance"]`, found["ENTRYPOINT"])
	assert.Contains(t, found["HEALTHCHECK"], `CMD ["relance", "health"]`)
	assert.NotContains(t, found, "RUN")
}

func TestNoSecretGetsNearTheImage(t *testing.T) {
	ignored, err := deploy.Ignored()
	require.NoError(t, err)
	assert.False(t, ignored.Exclusions(), "nothing is let in again")
	for name, want := range map[string]bool{
		".env": true, ".env.production": true, "deploy/.env": true, ".git/config": true, ".data/secrets.json": true,
		"worker/client.key": true, "web/node_modules/vite/package.json": true,
		"go.mod": false, "cmd/relance/main.go": false, "migrations/00001_schema.sql": false, "web/dist/index.html": false,
	} {
		out, err := ignored.MatchesOrParentMatches(name)
		require.NoError(t, err)
		assert.Equal(t, want, out, name)
	}
}
