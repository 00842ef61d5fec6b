package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"
)

func TestASecretMayBeInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for _, variable := range secretVariables {
		value := "0123456789abcdef with a space "
		if strings.HasSuffix(variable, "_URL") {
			value = "redis://user:pass%20word@host:1/0"
		}
		require.NoError(t, os.WriteFile(file, []byte(value+"\n"), 0o600))
		environment := complete(map[string]string{"ADMIN_EMAIL": "a@example.com", "ADMIN_PASSWORD": "correct horse battery"})
		delete(environment, variable)
		environment[variable+"_FILE"] = file
		c, err := readConfig(environment, needDatabase, needProvider, needWebhook)
		require.NoError(t, err, variable)
		if variable == "WEBHOOK_TOKEN" { // of several: spaces beside a comma are of none
			value = strings.TrimSpace(value)
		}
		require.Equal(t, value, valueOf(t, c, variable))
	}
}

func TestTemporalsSecretsMayBeInFiles(t *testing.T) {
	folder := t.TempDir()
	for variable, value := range map[string]string{"TEMPORAL_API_KEY": "a-key-of-temporal", "TEMPORAL_CODEC_KEYS": firstKey} {
		file := filepath.Join(folder, variable)
		require.NoError(t, os.WriteFile(file, []byte(value+"\n"), 0o600))
		t.Setenv(variable+"_FILE", file)
	}
	options, err := temporalOptions()
	require.NoError(t, err)
	require.NotNil(t, options.Credentials)
	codec, err := temporalCodec()
	require.NoError(t, err)
	require.Equal(t, "first", codec.KeyID())
}

// valueOf is what a configuration has for a variable, of several the first.
func valueOf(t *testing.T, c config, variable string) string {
	t.Helper()
	of := reflect.TypeFor[config]()
	for i := range of.NumField() {
		if of.Field(i).Tag.Get("env") == variable {
			value := reflect.ValueOf(c).Field(i)
			if value.Kind() == reflect.Slice {
				value = value.Index(0)
			}
			return value.String()
		}
	}
	t.Fatalf("%s is no variable", variable)
	return ""
}

// Whoever adds a variable that holds a secret adds it to those that a file may hold.
func TestEverySecretMayBeInAFile(t *testing.T) {
	params, err := env.GetFieldParams(&config{})
	require.NoError(t, err)
	for _, p := range params {
		for _, word := range []string{"TOKEN", "SECRET", "PASSWORD", "KEY", "DATABASE_URL", "REDIS_URL"} {
			if strings.Contains(p.Key, word) {
				require.Contains(t, secretVariables, p.Key)
			}
		}
	}
}

func TestAFileThatGivesNoSecretStopsTheStartWithoutShowingAny(t *testing.T) {
	folder := t.TempDir()
	written := func(content string) string {
		file := filepath.Join(folder, "secret")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	for says, change := range map[string]map[string]string{
		"WASSENGER_TOKEN and WASSENGER_TOKEN_FILE are both set":  {"WASSENGER_TOKEN_FILE": written("hidden")},
		"reading WEBHOOK_TOKEN_FILE: open " + folder + "/absent": {"WEBHOOK_TOKEN": "", "WEBHOOK_TOKEN_FILE": folder + "/absent"},
		"DATABASE_URL_FILE is empty":                             {"DATABASE_URL": "", "DATABASE_URL_FILE": os.DevNull},
	} {
		_, err := readConfig(complete(change), needDatabase, needProvider, needWebhook)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hidden")
		require.NotContains(t, err.Error(), "\n")
	}
}
