package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// diagnosis is what the doctor says of each check.
type diagnosis map[string]finding

// examined runs the doctor and makes sure that it tells no secret.
func examined(t *testing.T, flags ...string) (diagnosis, error) {
	t.Helper()
	out, err := relance(t, append([]string{"doctor", "--json"}, flags...)...)
	secrets := []string{hookToken, "provider-token", "a-secret-password", strings.Split(firstKey, ":")[1]}
	for _, secret := range secrets {
		assert.NotContains(t, out, secret)
	}
	var told struct {
		OK     bool
		Checks []finding
	}
	require.NoError(t, json.Unmarshal([]byte(out), &told), out)
	assert.Equal(t, err == nil, told.OK)
	d := diagnosis{}
	for _, f := range told.Checks {
		d[f.Check] = f
		assert.Equal(t, f.Result == failed || f.Result == warning, f.Remedy != "", "%s: every finding has its remedy", f.Check)
		assert.NotContains(t, f.Says+f.Remedy, "\n")
	}
	return d, err
}

// healthy is a whole deployment that lacks nothing.
func healthy(t *testing.T) (d deployment, stop func()) {
	t.Helper()
	d = deployed(t)
	stop = d.serve()
	_, err := relance(t, "webhook", "register", "--url", d.public)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // Temporal hears of a worker when its first poll has come
		found, _ := examined(t, "--timeout", "30s")
		return found["workers"].Result == inOrder
	}, time.Minute, 100*time.Millisecond)
	return d, stop
}

// Each breakage of a deployment that is in order otherwise has a finding of its own.
func TestDoctorFindsWhatIsBrokenAndNothingElse(t *testing.T) {
	d, stop := healthy(t)
	t.Run("nothing", requireInOrder)
	nobody := freeAddress(t)
	base := processEnvironment()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	moving := httptest.NewServer(http.RedirectHandler(d.public, http.StatusMovedPermanently))
	t.Cleanup(moving.Close)
	taking := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(taking.Close)
	late := httptest.NewServer(wrongClock(t, base["WASSENGER_BASE_URL"], -time.Minute))
	t.Cleanup(late.Close)
	old := testenv.Database(t, nil)
	require.NoError(t, migrations.UpAtTo(t.Context(), old, 3))
	const idle = "without-workers"
	t.Run("prepare", func(t *testing.T) {
		t.Setenv("TEMPORAL_NAMESPACE", idle)
		_, err := relance(t, "temporal", "setup")
		require.NoError(t, err)
	})

	for name, c := range map[string]struct {
		environment map[string]string
		broken      func(t *testing.T)
		check       string
		want        grade
		says        string
		remedy      string
	}{
		"a senseless variable": {
			environment: map[string]string{"SEND_LIMIT": "many"},
			check:       "configuration", want: failed, says: `SEND_LIMIT must be a whole number, not "many"`, remedy: "correct this variable",
		},
		"a deadline within the window": {
			environment: map[string]string{"CAMPAIGN_DEADLINE": "12h"},
			check:       "rules", want: warning, says: "campaigns complete after 12h0m0s", remedy: "make CAMPAIGN_DEADLINE longer than REPLY_WINDOW",
		},
		"an outcome settled after the window": {
			environment: map[string]string{"SEND_SETTLE": "24h"},
			check:       "rules", want: warning, says: "takes 24h0m0s to be settled", remedy: "make SEND_SETTLE much shorter",
		},
		"no database given": {
			environment: map[string]string{"DATABASE_URL": ""},
			check:       "database", want: failed, says: "DATABASE_URL is missing", remedy: "check DATABASE_URL",
		},
		"database away": {
			environment: map[string]string{"DATABASE_URL": "postgres://relance:a-secret-password@" + nobody + "/relance"},
			check:       "database", want: failed, says: nobody + " does not answer", remedy: "check DATABASE_URL",
		},
		"schema too old": {
			environment: map[string]string{"DATABASE_URL": old},
			check:       "schema", want: failed, says: "version 3, and this binary needs", remedy: "run `relance migrate`",
		},
		"schema too new": {
			broken: d.sql(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`, `DELETE FROM goose_db_version WHERE version_id = 99999`),
			check:  "schema", want: warning, says: "version 99999 is newer", remedy: "deploy the binary",
		},
		"clock of a test": {
			broken: d.sql(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''1 hour'''`,
				`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()'`),
			check: "database clock", want: failed, says: "relance_now() is 1h0m0s off", remedy: "CREATE OR REPLACE FUNCTION",
		},
		"device halted": {
			broken: d.sql(`UPDATE devices SET halted_at = now(), halt_reason = 'HTTP 402'`, `UPDATE devices SET halted_at = NULL, halt_reason = ''`),
			check:  "device halt", want: failed, says: "HTTP 402", remedy: "resume a campaign",
		},
		"database restored": {
			broken: d.sql(`UPDATE devices SET lineage = 'another'`, `UPDATE devices SET lineage = relance_lineage()`),
			check:  "device halt", want: failed, says: "another than the one", remedy: "relance reconcile --apply",
		},
		"Redis away": {
			environment: map[string]string{"REDIS_URL": "redis://:a-secret-password@" + nobody},
			check:       "redis", want: warning, says: nobody + " does not answer", remedy: "check REDIS_URL",
		},
		"Temporal away": {
			environment: map[string]string{"TEMPORAL_ADDRESS": nobody},
			check:       "temporal", want: failed, says: nobody + " does not answer", remedy: "check TEMPORAL_ADDRESS",
		},
		"a certificate that is no file": {
			environment: map[string]string{"TEMPORAL_TLS_CLIENT_CERT_PATH": "/nowhere.pem", "TEMPORAL_TLS_CLIENT_KEY_PATH": "/nowhere.pem"},
			check:       "temporal settings", want: failed, says: "/nowhere.pem", remedy: "correct this variable",
		},
		"no such namespace": {
			environment: map[string]string{"TEMPORAL_NAMESPACE": "nowhere"},
			check:       "namespace", want: failed, says: "there is no namespace nowhere", remedy: "relance temporal setup",
		},
		"no search attributes": {
			environment: map[string]string{"TEMPORAL_NAMESPACE": "temporal-system"},
			check:       "search attributes", want: failed, says: "CampaignId and ContactState missing", remedy: "relance temporal setup",
		},
		"no workers": {
			environment: map[string]string{"TEMPORAL_NAMESPACE": idle},
			check:       "workers", want: failed, says: "nobody polls the task queue relance for work of the kind Workflow; none was ever heard of", remedy: "start `relance worker`",
		},
		"a key of the codec's is senseless": {
			environment: map[string]string{"TEMPORAL_CODEC_KEYS": "a:b"},
			check:       "temporal settings", want: failed, says: `the key "a" must be 32 bytes`, remedy: "correct this variable",
		},
		"provider away": {
			environment: map[string]string{"WASSENGER_BASE_URL": "http://" + nobody + "/v1"},
			check:       "provider", want: failed, says: nobody, remedy: "check WASSENGER_BASE_URL",
		},
		"token refused": {
			environment: map[string]string{"WASSENGER_TOKEN": "a-secret-password"},
			check:       "provider", want: failed, says: "HTTP 401", remedy: "set WASSENGER_TOKEN",
		},
		"another device": {
			environment: map[string]string{"WASSENGER_DEVICE_ID": otherNumber},
			check:       "device", want: failed, says: "no device with this id", remedy: "set WASSENGER_DEVICE_ID",
		},
		"device offline": {
			broken: func(t *testing.T) {
				require.NoError(t, d.simulator.SetFaults(simulator.Faults{DeviceOffline: true}))
				t.Cleanup(func() { require.NoError(t, d.simulator.SetFaults(simulator.Faults{})) })
			},
			check: "device", want: failed, says: "its session is offline", remedy: "connect the number again",
		},
		"provider's clock is behind": {
			environment: map[string]string{"WASSENGER_BASE_URL": late.URL + "/v1"},
			check:       "provider clock", want: failed, says: "ahead of the provider's", remedy: "NTP",
		},
		"no webhook": {
			environment: map[string]string{"WASSENGER_BASE_URL": newProvider(t) + "/v1"},
			check:       "webhook", want: failed, says: "no webhook of this number leads to Relance", remedy: "relance webhook register",
		},
		"webhook with another token": {
			environment: map[string]string{"WEBHOOK_TOKEN": "another-token-than-before"},
			check:       "webhook", want: failed, says: "a token that is not WEBHOOK_TOKEN", remedy: "relance webhook register",
		},
		"webhook leads nowhere": {
			environment: map[string]string{"WASSENGER_BASE_URL": newProvider(t, "http://"+nobody) + "/v1"},
			check:       "webhook reachable", want: failed, says: nobody + " does not answer", remedy: "see that the API runs",
		},
		"webhook leads elsewhere": {
			environment: map[string]string{"WASSENGER_BASE_URL": newProvider(t, elsewhere.URL) + "/v1"},
			check:       "webhook reachable", want: failed, says: "answers HTTP 404", remedy: "see that the API runs",
		},
		"webhook is sent on": {
			environment: map[string]string{"WASSENGER_BASE_URL": newProvider(t, moving.URL) + "/v1"},
			check:       "webhook reachable", want: failed, says: "sends elsewhere (HTTP 301)", remedy: "with the address to which it leads",
		},
		"webhook is anybody's": {
			environment: map[string]string{"WASSENGER_BASE_URL": newProvider(t, taking.URL) + "/v1"},
			check:       "webhook reachable", want: failed, says: "takes events with a wrong token", remedy: "leads to Relance's API",
		},
	} {
		t.Run(name, func(t *testing.T) {
			setenv(t, c.environment)
			if c.broken != nil {
				c.broken(t)
			}
			patience := "30s"
			if c.check == "redis" {
				patience = "3s" // it is asked for as long as that
			}
			found, err := examined(t, "--timeout", patience)
			assert.Equal(t, c.want == failed, err != nil)
			assert.Equal(t, c.want, found[c.check].Result, "%+v", found[c.check])
			assert.Contains(t, found[c.check].Says, c.says)
			assert.Contains(t, found[c.check].Remedy, c.remedy)
		})
	}

	t.Run("worker and API stopped, payloads encrypted with another key", func(t *testing.T) {
		stop()
		t.Setenv("TEMPORAL_CODEC_KEYS", firstKey)
		stop = d.serve()
		d.campaign("+33639980001")
		d.awaitMessages(1)
		stop()
		// What was begun with a key that is dropped too early is older than everything else.
		t.Setenv("TEMPORAL_CODEC_KEYS", secondKey+","+firstKey)
		stop = d.serve()
		d.campaign("+33639980002", "+33639980003", "+33639980004", "+33639980005", "+33639980006")
		d.awaitMessages(6)
		d.awaitContacts(6)
		stop()
		t.Setenv("TEMPORAL_CODEC_KEYS", secondKey)
		found, err := examined(t, "--timeout", "30s")
		require.Error(t, err)
		assert.Contains(t, found["encryption"].Says, `TEMPORAL_CODEC_KEYS has no key "first"`)
		assert.Contains(t, found["webhook reachable"].Says, "does not answer")
		assert.Equal(t, inOrder, found["webhook"].Result)
	})
}

// requireInOrder holds of a deployment that lacks nothing.
func requireInOrder(t *testing.T) {
	t.Helper()
	t.Setenv("TEMPORAL_CODEC_KEYS", "plain,"+firstKey)
	found, err := examined(t, "--timeout", "30s")
	require.NoError(t, err)
	for _, check := range []string{
		"rules", "database", "database connections", "schema", "database clock", "device halt", "redis",
		"temporal settings", "temporal", "namespace", "search attributes", "workers", "encryption",
		"provider", "provider clock", "device", "webhook", "webhook reachable",
	} {
		assert.Equal(t, inOrder, found[check].Result, "%s: %s", check, found[check].Says)
	}
	assert.Len(t, found, 18)

	out, err := relance(t, "doctor", "--timeout", "30s")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^ok +schema +version \d+$`, out)
	assert.Contains(t, out, "18 in order, 0 warnings, 0 failures, 0 skipped.")
}

// What accepts a connection and never answers costs the doctor one deadline.
func TestDoctorDoesNotWaitForWhatNeverAnswers(t *testing.T) {
	deployed(t)
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	address := silent.Addr().String()
	setenv(t, map[string]string{
		"DATABASE_URL": "postgres://relance@" + address + "/relance", "REDIS_URL": "redis://" + address,
		"TEMPORAL_ADDRESS": address, "WASSENGER_BASE_URL": "http://" + address + "/v1",
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	require.ErrorContains(t, relanceTo(ctx, &out, "doctor", "--timeout", "1s"), "checks failed")
	require.NoError(t, ctx.Err())
	for _, check := range []string{"database", "redis", "temporal", "provider"} {
		assert.Regexp(t, fmt.Sprintf(`(?m)^(failure|warning) +%s +.*%s`, check, address), out.String())
	}
	assert.Regexp(t, `(?m)^skipped +schema +needs the check "database" to succeed`, out.String())
}

func TestDoctorGradesClocksAndCertificatesByHowFarTheyAreOff(t *testing.T) {
	for ahead, want := range map[time.Duration]grade{
		0: inOrder, -time.Second: inOrder, 1100 * time.Millisecond: warning, -29 * time.Second: warning, 31 * time.Second: failed, -time.Hour: failed,
	} {
		assert.Equal(t, want, skew("the database's", ahead, time.Second).Result, ahead)
	}
	assert.Equal(t, "this machine's clock is 2s behind the database's", skew("the database's", -2*time.Second, time.Second).Says)
	for left, want := range map[time.Duration]grade{30 * 24 * time.Hour: inOrder, 20 * 24 * time.Hour: warning, -time.Minute: failed} {
		assert.Equal(t, want, expiry(&x509.Certificate{NotAfter: time.Now().Add(left)}, "renew it").Result, left)
	}
}

// Others' connections fill a server too, and a role that is nobody special must see them.
func TestDoctorCountsConnectionsOfEveryRole(t *testing.T) {
	address := testenv.Database(t, nil)
	pool, err := store.Connect(address, 6)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	for range 5 {
		held, err := pool.Conn(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = held.Close() })
	}
	_, err = pool.ExecContext(t.Context(), `CREATE ROLE doctors_patient LOGIN PASSWORD 'a-secret-password'`)
	require.NoError(t, err)
	as, err := url.Parse(address)
	require.NoError(t, err)
	as.User = url.UserPassword("doctors_patient", "a-secret-password")
	d := &databaseDoctor{config: config{DatabaseURL: as.String()}}
	t.Cleanup(d.close)
	require.Equal(t, inOrder, d.reach(t.Context()).Result)
	var used, most int
	_, err = fmt.Sscanf(d.connections(t.Context()).Says, "%d of %d are in use", &used, &most)
	require.NoError(t, err)
	require.GreaterOrEqual(t, used, 7)
}

// sql breaks something in the database for one test.
func (d deployment) sql(breaking, mending string) func(t *testing.T) {
	url := processEnvironment()["DATABASE_URL"]
	return func(t *testing.T) {
		t.Helper()
		s, err := store.Open(t.Context(), url, store.Options{MaxConnections: 1})
		require.NoError(t, err)
		_, err = s.Pool().ExecContext(t.Context(), breaking)
		require.NoError(t, err)
		t.Cleanup(func() {
			_, err := s.Pool().ExecContext(context.WithoutCancel(t.Context()), mending)
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}
}

// newProvider is another account with webhooks of its own.
func newProvider(t *testing.T, webhooks ...string) string {
	t.Helper()
	s, err := simulator.New(simulator.Config{Token: "provider-token", DeviceID: thisNumber, DevicePhone: "+33639989999"})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for _, address := range webhooks {
		t.Run("register", func(t *testing.T) {
			t.Setenv("WASSENGER_BASE_URL", server.URL+"/v1")
			_, err := relance(t, "webhook", "register", "--url", address)
			require.NoError(t, err)
		})
	}
	return server.URL
}

// wrongClock is a provider whose clock is wrong by so much.
func wrongClock(t *testing.T, provider string, by time.Duration) http.Handler {
	t.Helper()
	base, err := url.Parse(provider)
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), r.Method, base.Scheme+"://"+base.Host+r.URL.RequestURI(), r.Body)
		if err != nil {
			panic(err)
		}
		request.Header = r.Header
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		w.Header().Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
}
