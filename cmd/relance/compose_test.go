package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/deploy"
	"github.com/relance/relance/devstack"
)

// exampleEnvironment reads .env.example: each variable, and whether it is only told
// of, with a # before it.
func exampleEnvironment(t *testing.T) (set map[string]string, told map[string]bool) {
	t.Helper()
	root, err := devstack.FindRoot()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, ".env.example"))
	require.NoError(t, err)
	set, told = map[string]string{}, map[string]bool{}
	for line := range strings.Lines(string(content)) {
		variable, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		name := strings.TrimPrefix(variable, "#")
		if !ok || strings.ToUpper(name) != name || strings.Contains(name, " ") {
			continue
		}
		told[name] = true
		if name == variable {
			set[name] = value
		}
	}
	return set, told
}

// readByOthers: Temporal's client and OpenTelemetry have environments of their own.
func readByOthers(variable string) bool {
	return strings.HasPrefix(variable, "TEMPORAL_") || strings.HasPrefix(variable, "OTEL_")
}

func TestEveryVariableIsInTheExample(t *testing.T) {
	_, told := exampleEnvironment(t)
	params, err := env.GetFieldParams(&config{})
	require.NoError(t, err)
	for _, param := range params {
		assert.True(t, told[param.Key], "%s is not in .env.example", param.Key)
	}
}

// As it stands, and with a copy of .env.example beside it.
func TestComposeGivesRelanceAnEnvironmentThatItUnderstands(t *testing.T) {
	params, err := env.GetFieldParams(&config{})
	require.NoError(t, err)
	read := map[string]bool{}
	for _, param := range params {
		read[param.Key] = true
	}
	example, told := exampleEnvironment(t)
	for name, dotEnv := range map[string]map[string]string{"clean checkout": nil, "copied example": example} {
		t.Run(name, func(t *testing.T) {
			project, err := deploy.Compose(t.Context(), dotEnv)
			require.NoError(t, err)
			for name, service := range project.Services {
				if service.Build == nil {
					continue
				}
				environment := map[string]string{}
				for variable, value := range service.Environment {
					assert.True(t, read[variable] || readByOthers(variable), "%s is given %s, which nobody reads", name, variable)
					assert.True(t, told[variable] || readByOthers(variable), "%s is not in .env.example", variable)
					require.NotNil(t, value, "%s %s", name, variable)
					environment[variable] = *value
				}
				c, err := readConfig(environment, needDatabase, needProvider, needWebhook)
				require.NoError(t, err, name)
				assert.Contains(t, c.DatabaseURL, "@postgres:5432/")
				assert.Equal(t, "redis://redis:6379/0", c.RedisURL)
				assert.Equal(t, "temporal:7233", environment["TEMPORAL_ADDRESS"])
				assert.Equal(t, "http://simulator:8090/v1", c.WassengerBaseURL, "nobody is sent anything by accident")
				assert.Equal(t, ":9090", c.InternalAddr, "Prometheus asks from another container")
				assert.Equal(t, 1000, c.SendLimit)
			}
		})
	}
}

func TestComposeCallsCommandsThatExist(t *testing.T) {
	project, err := deploy.Compose(t.Context(), nil)
	require.NoError(t, err)
	for name, service := range project.Services {
		if service.Build == nil {
			continue
		}
		require.NotEmpty(t, service.Command, name)
		command, rest, err := rootCommand().Find(service.Command)
		require.NoError(t, err, name)
		require.NoError(t, command.ParseFlags(rest), name)
	}
}
