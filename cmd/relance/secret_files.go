package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// secretVariables may also be read from a file, which NAME_FILE names: what is
// mounted there (by Docker, Kubernetes, systemd) is in no environment that a
// process hands down or a crash report shows.
var secretVariables = []string{
	"DATABASE_URL", "REDIS_URL", "WASSENGER_TOKEN", "WEBHOOK_TOKEN", "WEBHOOK_HMAC_SECRET", "ADMIN_PASSWORD", "ADMIN_TOKEN",
}

// temporalSecrets are the same of what is read for Temporal's client.
var temporalSecrets = []string{"TEMPORAL_API_KEY", "TEMPORAL_CODEC_KEYS"}

// withSecretFiles is the environment with each NAME_FILE read into NAME, without
// the newline that editors leave at its end. An empty variable is as good as none.
func withSecretFiles(environment map[string]string) (map[string]string, error) {
	read := maps.Clone(environment)
	for _, variable := range slices.Concat(secretVariables, temporalSecrets) {
		file := environment[variable+"_FILE"]
		if file == "" {
			continue
		}
		if environment[variable] != "" {
			return nil, fmt.Errorf("%s and %s_FILE are both set: keep one of them", variable, variable)
		}
		content, err := os.ReadFile(file) //nolint:gosec // whoever starts Relance says which file
		if err != nil {
			return nil, fmt.Errorf("reading %s_FILE: %w", variable, err)
		}
		secret := strings.TrimRight(string(content), "\r\n")
		if secret == "" {
			return nil, fmt.Errorf("%s_FILE is empty: %s", variable, file)
		}
		read[variable] = secret
	}
	return read, nil
}
