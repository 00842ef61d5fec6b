package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"github.com/relance/relance/worker"
)

func temporalCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "temporal", Short: "Prepare a Temporal namespace; let the Web UI read encrypted payloads"}
	cmd.AddCommand(temporalSetupCommand(), codecServerCommand())
	return cmd
}

// temporalOptions reads Temporal's own client environment and TEMPORAL_CODEC_KEYS.
// Every client of Temporal's in this program is made from it.
func temporalOptions() (client.Options, error) {
	environment, err := withSecretFiles(processEnvironment())
	if err != nil {
		return client.Options{}, err
	}
	if value := environment["TEMPORAL_TLS"]; !slices.Contains([]string{"", "true", "false", "1", "0"}, strings.ToLower(value)) {
		// The library would ignore it, and perhaps send everything in plain text.
		return client.Options{}, fmt.Errorf("TEMPORAL_TLS must be true or false, not %q", value)
	}
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: temporalEnvironment(environment)})
	if err != nil {
		return options, fmt.Errorf("reading Temporal's client environment (TEMPORAL_ADDRESS and the like): %w", err)
	}
	codec, err := temporalCodec()
	if err != nil {
		return options, err
	}
	codec.Apply(&options)
	return options, nil
}

func temporalCodec() (*worker.Codec, error) {
	environment, err := withSecretFiles(processEnvironment())
	if err != nil {
		return nil, err
	}
	return worker.NewCodec(environment["TEMPORAL_CODEC_KEYS"])
}

// temporalEnvironment is how Temporal's library sees the environment: an empty
// variable is an unset one. To the library an empty TEMPORAL_TLS_… switches TLS on.
type temporalEnvironment map[string]string

func (e temporalEnvironment) LookupEnv(variable string) (string, bool) {
	return e[variable], e[variable] != ""
}

func (e temporalEnvironment) Environ() []string {
	var all []string
	for variable, value := range e {
		if value != "" {
			all = append(all, variable+"="+value)
		}
	}
	return all
}

// dialTemporal connects a command that tells everything itself.
func dialTemporal(ctx context.Context) (c client.Client, namespace string, err error) {
	options, err := temporalOptions()
	if err != nil {
		return nil, "", err
	}
	options.Logger = quiet{}
	if c, err = client.DialContext(ctx, options); err != nil {
		return nil, "", fmt.Errorf("reaching Temporal at TEMPORAL_ADDRESS: %w", err)
	}
	return c, cmp.Or(options.Namespace, client.DefaultNamespace), nil
}

// quiet is for a command that tells everything itself.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
