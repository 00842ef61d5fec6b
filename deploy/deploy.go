// Package deploy is how Relance is run for real, beside the Dockerfile and
// docker-compose.yml at the top: what Prometheus watches and when it speaks, the
// dashboard, the load balancer, what PostgreSQL and Temporal are set up with. Its
// Go code reads all that for tests, so that nothing in it is only believed.
package deploy

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/relance/relance/devstack"
)

// Compose reads docker-compose.yml as `docker compose` does where the environment
// is all that .env says, with every profile. It is an error if the file does not
// follow the Compose specification. A .env that lies there is not read.
func Compose(ctx context.Context, environment map[string]string) (*types.Project, error) {
	root, err := devstack.FindRoot()
	if err != nil {
		return nil, err
	}
	given := types.Mapping{} // which the loader adds to
	maps.Copy(given, environment)
	project, err := loader.LoadWithContext(ctx, types.ConfigDetails{
		WorkingDir:  root,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(root, "docker-compose.yml")}},
		Environment: given,
	}, func(options *loader.Options) {
		options.SetProjectName("relance", true)
		options.SkipResolveEnvironment = true
		options.Profiles = []string{"*"}
	})
	if err != nil {
		return nil, fmt.Errorf("reading docker-compose.yml: %w", err)
	}
	for name, service := range project.Services {
		if len(service.EnvFiles) > 0 {
			project.Services[name] = withEnvFile(service, environment)
		}
	}
	return project, nil
}

// withEnvFile gives a service what .env says, except where its own environment
// says something.
func withEnvFile(service types.ServiceConfig, environment map[string]string) types.ServiceConfig {
	for variable, value := range environment {
		if _, own := service.Environment[variable]; !own {
			service.Environment[variable] = &value
		}
	}
	return service
}

var metricName = regexp.MustCompile(`\b(relance|temporal|go|process)_[a-z0-9_]+`)

// MetricNames are the metrics that the alerts and the dashboard ask for, without
// those of Prometheus itself and without what a histogram's series add.
func MetricNames() ([]string, error) {
	root, err := devstack.FindRoot()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range []string{"alerts.yml", "grafana/dashboards/relance.json"} {
		content, err := os.ReadFile(filepath.Join(root, "deploy", file)) //nolint:gosec // our own
		if err != nil {
			return nil, fmt.Errorf("looking for metrics: %w", err)
		}
		names = append(names, metricName.FindAllString(string(content), -1)...)
	}
	for i, name := range names {
		names[i] = seriesOfHistogram.ReplaceAllString(name, "")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

var seriesOfHistogram = regexp.MustCompile(`_(bucket|count|sum)$`)
