package main

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// complete is the least that every command runs with.
func complete(change map[string]string) map[string]string {
	environment := map[string]string{
		"DATABASE_URL":        "postgres://relance:secret@localhost:5432/relance",
		"WASSENGER_TOKEN":     "token",
		"WASSENGER_DEVICE_ID": "64a1b2c3d4e5f60718293a4b",
		"WEBHOOK_TOKEN":       "0123456789abcdef",
	}
	maps.Copy(environment, change)
	return environment
}

func TestLeastConfigurationHasTheOwnersNumbers(t *testing.T) {
	c, err := readConfig(complete(nil), needDatabase, needProvider, needWebhook)
	require.NoError(t, err)
	rules, err := c.rules()
	require.NoError(t, err)
	require.Equal(t, 1000, rules.Quota.Limit)
	require.Equal(t, 48*time.Hour, rules.Deadline)
	require.Equal(t, "https://api.wassenger.com/v1", c.WassengerBaseURL)
	require.Equal(t, ":8080", c.HTTPAddr)
	require.Empty(t, c.TrustedProxies)
}

func TestTrustedProxiesAreAddressesAndNetworks(t *testing.T) {
	c, err := readConfig(complete(map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8, ::1,192.168.1.5"}), needDatabase, needProvider, needWebhook)
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.0/8", "::1", "192.168.1.5"}, c.TrustedProxies)
	c, err = readConfig(complete(map[string]string{"TRUSTED_PROXIES": ""}), needDatabase, needProvider, needWebhook)
	require.NoError(t, err)
	require.Empty(t, c.TrustedProxies)
}

func TestMissingOrSenselessValueIsOneSentenceThatNamesTheVariable(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"DATABASE_URL is missing":                       {"DATABASE_URL": ""},
		"WASSENGER_TOKEN is missing":                    {"WASSENGER_TOKEN": ""},
		"WASSENGER_DEVICE_ID is missing":                {"WASSENGER_DEVICE_ID": ""},
		"WEBHOOK_TOKEN is missing":                      {"WEBHOOK_TOKEN": ""},
		"WEBHOOK_TOKEN must have":                       {"WEBHOOK_TOKEN": "short"},
		"each of several":                               {"WEBHOOK_TOKEN": "0123456789abcdef,"},
		"DATABASE_URL must be":                          {"DATABASE_URL": "localhost"},
		"REDIS_URL must be":                             {"REDIS_URL": "localhost:6379"},
		"WASSENGER_BASE_URL must be":                    {"WASSENGER_BASE_URL": "api"},
		`SEND_LIMIT must be a whole number, not "many"`: {"SEND_LIMIT": "many"},
		"SEND_LIMIT must be at least 1":                 {"SEND_LIMIT": "0"},
		`SEND_LIMIT_WINDOW must be a duration such as 90s, 15m or 24h, not "1d"`: {"SEND_LIMIT_WINDOW": "1d"},
		"REPLY_RESERVE must be between 0 and 1":                                  {"REPLY_RESERVE": "2"},
		"REPLY_WINDOW must be longer than 0":                                     {"REPLY_WINDOW": "-1h"},
		"CAMPAIGN_DEADLINE must be longer than 0":                                {"CAMPAIGN_DEADLINE": "0s"},
		"SEND_PACE must":                              {"SEND_PACE": "slowly"},
		"SEND_HOURS must":                             {"SEND_HOURS": "by day"},
		"RETENTION_TEXTS must be at least 168h":       {"RETENTION_TEXTS": "24h"},
		"RETENTION_EVENTS must be at least 24h":       {"RETENTION_EVENTS": "1h"},
		"RETENTION_EVENTS must not be longer":         {"RETENTION_TEXTS": "720h", "RETENTION_EVENTS": "0"},
		"LOG_LEVEL must be":                           {"LOG_LEVEL": "loud"},
		"API_RATE_LIMIT must":                         {"API_RATE_LIMIT": "0"},
		"LOG_FORMAT must be":                          {"LOG_FORMAT": "xml"},
		"TRUSTED_PROXIES must":                        {"TRUSTED_PROXIES": "10.0.0.0/8,proxy"},
		"ADMIN_PASSWORD must":                         {"ADMIN_EMAIL": "a@example.com"},
		"ADMIN_TOKEN needs":                           {"ADMIN_TOKEN": "0123456789abcdef"},
		"DATABASE_MAX_CONNECTIONS must be at least 1": {"DATABASE_MAX_CONNECTIONS": "0"},
		"SHUTDOWN_DELAY must":                         {"SHUTDOWN_DELAY": "-1s"},
		"TEMPORAL_DEPLOYMENT_NAME must":               {"TEMPORAL_DEPLOYMENT_NAME": "relance.production"},
	} {
		_, err := readConfig(complete(change), needDatabase, needProvider, needWebhook)
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestCommandAsksOnlyForWhatItNeeds(t *testing.T) {
	_, err := readConfig(map[string]string{"DATABASE_URL": "postgres://localhost/relance"}, needDatabase)
	require.NoError(t, err)
}
