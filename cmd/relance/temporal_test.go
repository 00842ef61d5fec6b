package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack/testenv"
)

// Each variable of Temporal's client environment, against a server that is reached
// only if it is obeyed.
func TestTemporalIsReachedAsItsEnvironmentSays(t *testing.T) {
	server := testenv.Temporal(t)
	ca := newAuthority(t)
	certificate, key := ca.issue("a worker")
	const cloudKey = "an-api-key-of-tests"
	plain := server.Address()
	secured := door{tls: ca.serving("127.0.0.1")}.open(t, plain)
	renamed := door{tls: ca.serving("temporal.example.com")}.open(t, plain)
	mutual := door{tls: ca.servingOwn("127.0.0.1")}.open(t, plain)
	keyed := door{tls: ca.serving("127.0.0.1"), headers: map[string]string{"authorization": "Bearer " + cloudKey}}.open(t, plain)
	marked := door{headers: map[string]string{"x-team": "marketing"}}.open(t, plain)
	profiles := inFile(t, `[profile.blue]
address = "`+secured+`"
[profile.blue.tls]
server_ca_cert_path = "`+inFile(t, ca.rootPEM)+`"
`)

	for name, environment := range map[string]map[string]string{
		"plain":                          {"TEMPORAL_ADDRESS": plain},
		"empty variables switch on none": {"TEMPORAL_ADDRESS": plain, "TEMPORAL_API_KEY": "", "TEMPORAL_TLS": "", "TEMPORAL_TLS_CLIENT_CERT_PATH": "", "TEMPORAL_TLS_SERVER_NAME": ""},
		"TLS, switched off":              {"TEMPORAL_ADDRESS": plain, "TEMPORAL_TLS": "false", "TEMPORAL_TLS_SERVER_NAME": "x"},
		"TLS, authority in a file":       {"TEMPORAL_ADDRESS": secured, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": inFile(t, ca.rootPEM)},
		"TLS, authority given":           {"TEMPORAL_ADDRESS": secured, "TEMPORAL_TLS": "true", "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM},
		"TLS, another name":              {"TEMPORAL_ADDRESS": renamed, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM, "TEMPORAL_TLS_SERVER_NAME": "temporal.example.com"},
		"TLS, nothing verified":          {"TEMPORAL_ADDRESS": renamed, "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"},
		"mTLS, in files": {"TEMPORAL_ADDRESS": mutual, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM,
			"TEMPORAL_TLS_CLIENT_CERT_PATH": inFile(t, certificate), "TEMPORAL_TLS_CLIENT_KEY_PATH": inFile(t, key)},
		"mTLS, given": {"TEMPORAL_ADDRESS": mutual, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM,
			"TEMPORAL_TLS_CLIENT_CERT_DATA": certificate, "TEMPORAL_TLS_CLIENT_KEY_DATA": key},
		"API key":        {"TEMPORAL_ADDRESS": keyed, "TEMPORAL_NAMESPACE": "default", "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM, "TEMPORAL_API_KEY": cloudKey},
		"header":         {"TEMPORAL_ADDRESS": marked, "TEMPORAL_GRPC_META_X_TEAM": "marketing"},
		"profile's file": {"TEMPORAL_CONFIG_FILE": profiles, "TEMPORAL_PROFILE": "blue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TEMPORAL_NAMESPACE", "default")
			setenv(t, environment)
			_, err := relance(t, "temporal", "setup")
			require.NoError(t, err)
		})
	}
	for name, environment := range map[string]map[string]string{
		"an authority that is not known": {"TEMPORAL_ADDRESS": secured, "TEMPORAL_TLS": "true"},
		"another name":                   {"TEMPORAL_ADDRESS": renamed, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM},
		"no certificate":                 {"TEMPORAL_ADDRESS": mutual, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM},
		"another key":                    {"TEMPORAL_ADDRESS": keyed, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM, "TEMPORAL_API_KEY": "another"},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Setenv("TEMPORAL_NAMESPACE", "default")
			setenv(t, environment)
			require.ErrorContains(t, impatient(t, "temporal", "setup"), "reaching Temporal at TEMPORAL_ADDRESS")
		})
	}
}

func TestSenselessTemporalVariableIsNamed(t *testing.T) {
	for want, environment := range map[string]map[string]string{
		`TEMPORAL_TLS must be true or false, not "yes"`: {"TEMPORAL_TLS": "yes"},
		"TEMPORAL_CODEC_KEYS must be id:key pairs":      {"TEMPORAL_CODEC_KEYS": "secret-without-id"},
		"server CA cert path":                           {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/nowhere.pem"},
	} {
		t.Run(want, func(t *testing.T) {
			setenv(t, environment)
			for _, command := range [][]string{{"replay"}, {"temporal", "setup"}} {
				_, err := relance(t, command...)
				require.ErrorContains(t, err, want)
				assert.NotContains(t, err.Error(), "secret-without-id")
			}
		})
	}
}

func TestSetupMakesANamespaceReadyAndMayBeRepeated(t *testing.T) {
	namespace := "setup-" + uuid.NewString()
	setenv(t, map[string]string{"TEMPORAL_ADDRESS": testenv.Temporal(t).Address(), "TEMPORAL_NAMESPACE": namespace})

	out, err := relance(t, "temporal", "setup", "--retention", "72h")
	require.NoError(t, err)
	assert.Equal(t, "Namespace "+namespace+": registered; it keeps ended workflows for 72h0m0s.\n"+
		"Search attributes CampaignId, ContactState: registered.\n", out)

	out, err = relance(t, "temporal", "setup")
	require.NoError(t, err)
	assert.Equal(t, "Namespace "+namespace+": exists and keeps ended workflows for 72h0m0s.\n"+
		"Search attributes CampaignId, ContactState: exist.\n", out)

	out, err = relance(t, "temporal", "setup", "--retention", "96h")
	require.NoError(t, err)
	assert.Contains(t, out, "it keeps ended workflows for 96h0m0s now, not 72h0m0s")
}

// A key of Temporal Cloud's may run workflows, and register nothing.
func TestSetupPrintsWhatSomebodyElseHasToDo(t *testing.T) {
	server := testenv.Temporal(t)
	namespace := "denied-" + uuid.NewString()
	address := door{refused: []string{"RegisterNamespace", "UpdateNamespace", "AddSearchAttributes", "ListSearchAttributes"}}.open(t, server.Address())
	setenv(t, map[string]string{"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace})

	out, err := relance(t, "temporal", "setup")
	require.ErrorIs(t, err, errSetup)
	assert.Contains(t, out, "could not be registered (Request unauthorized.). Somebody who may do it runs:\n    temporal operator namespace create --namespace "+namespace+" --retention 168h0m0s\n")
	assert.Contains(t, out, "temporal operator search-attribute create --namespace "+namespace+" --name CampaignId --type Keyword --name ContactState --type Keyword\n")

	t.Setenv("TEMPORAL_ADDRESS", server.Address())
	_, err = relance(t, "temporal", "setup")
	require.NoError(t, err)
	t.Setenv("TEMPORAL_ADDRESS", address)
	out, err = relance(t, "temporal", "setup")
	require.NoError(t, err)
	assert.Contains(t, out, "Search attributes CampaignId, ContactState: exist.\n")
	out, err = relance(t, "temporal", "setup", "--retention", "72h")
	require.ErrorIs(t, err, errSetup)
	assert.Contains(t, out, "temporal operator namespace update --namespace "+namespace+" --retention 72h0m0s\n")
}

func TestSetupKnowsTemporalCloudByItsAddress(t *testing.T) {
	for address, cloud := range map[string]bool{
		"relance.a1b2c.tmprl.cloud:7233": true, "eu-west-1.aws.api.temporal.io:7233": true,
		"temporal.example.com:7233": false, "localhost:7233": false, "": false,
	} {
		assert.Equal(t, cloud, onTemporalCloud(address), address)
	}
	remedy := setupByHand(true)
	assert.Equal(t, "tcld namespace create --namespace relance --region <region> --retention-days 7 --ca-certificate-file <file>", remedy.namespace("relance.a1b2c", defaultRetention))
	assert.Equal(t, `tcld namespace search-attributes add --namespace relance.a1b2c --search-attribute "CampaignId=Keyword" --search-attribute "ContactState=Keyword"`,
		remedy.searchAttributes("relance.a1b2c", []string{"CampaignId", "ContactState"}))
}

func TestCampaignRunsOverMutualTLSForWhoeverMayRegisterNothing(t *testing.T) {
	d := deployed(t)
	ca := newAuthority(t)
	certificate, key := ca.issue("a worker")
	setenv(t, map[string]string{
		"TEMPORAL_ADDRESS":                 door{tls: ca.servingOwn("127.0.0.1"), refused: []string{"AddSearchAttributes", "ListSearchAttributes"}}.open(t, testenv.Temporal(t).Address()),
		"TEMPORAL_TLS_SERVER_CA_CERT_DATA": ca.rootPEM, "TEMPORAL_TLS_CLIENT_CERT_DATA": certificate, "TEMPORAL_TLS_CLIENT_KEY_DATA": key,
	})
	stop := d.serve()
	d.campaign("+33639980001")
	d.awaitMessages(1)
	stop()

	t.Setenv("TEMPORAL_NAMESPACE", "default-of-somebody-else")
	_, err := relance(t, "worker")
	require.ErrorContains(t, err, "default-of-somebody-else")
}

func TestWorkerSaysWhichSearchAttributesItMayNotRegister(t *testing.T) {
	deployed(t)
	server := testenv.Temporal(t)
	bare := "bare-" + uuid.NewString()
	t.Setenv("TEMPORAL_NAMESPACE", bare)
	t.Setenv("TEMPORAL_ADDRESS", door{refused: []string{"AddSearchAttributes"}}.open(t, server.Address()))
	_, err := relance(t, "temporal", "setup")
	require.ErrorIs(t, err, errSetup)
	_, err = relance(t, "worker")
	require.ErrorContains(t, err, "the namespace "+bare+" lacks the search attributes CampaignId, ContactState, and they could not be registered (see `relance temporal setup`)")
}
