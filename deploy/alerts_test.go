package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// program is one of those that read these files for real. CI has them; elsewhere the
// test is left out where they are missing.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			require.NoError(t, err)
		}
		t.Skipf("%s is not installed; Debian's packages prometheus, prometheus-alertmanager and haproxy have all three", name)
	}
	return path
}

// run runs such a program in this folder.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), program(t, name), args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

func TestPrometheusTakesItsConfigurationAndTheAlerts(t *testing.T) {
	run(t, "promtool", "check", "config", "prometheus.yml")
}

func TestEachAlertSpeaksWhenItMustAndOnlyThen(t *testing.T) {
	run(t, "promtool", "test", "rules", "alerts_test.yml")
}

func TestAlertmanagerTakesItsConfiguration(t *testing.T) {
	run(t, "amtool", "check-config", "alertmanager.yml")
}

func TestTheLoadBalancerTakesItsConfiguration(t *testing.T) {
	run(t, "haproxy", "-c", "-f", "haproxy.cfg")
}

type alert struct {
	Alert, Expr string
	Labels      struct{ Severity string }
	Annotations struct{ Summary, Runbook string }
}

func alerts(t *testing.T) []alert {
	t.Helper()
	content, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct{ Rules []alert }
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

// anchors are the headings of a document, as links name them.
func anchors(t *testing.T, document string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root(t), document))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(content), -1) {
		plain := regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(strings.ToLower(heading[1]), "")
		found[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return found
}

func TestEveryAlertLeadsToItsRemedyAndIsTried(t *testing.T) {
	tried, err := os.ReadFile("alerts_test.yml")
	require.NoError(t, err)
	for _, a := range alerts(t) {
		document, anchor, ok := strings.Cut(a.Annotations.Runbook, "#")
		require.True(t, ok, a.Alert)
		assert.True(t, anchors(t, document)[anchor], "%s: %s has no heading %q", a.Alert, document, anchor)
		assert.NotEmpty(t, a.Annotations.Summary, a.Alert)
		assert.Contains(t, []string{"warning", "critical"}, a.Labels.Severity, a.Alert)
		assert.Regexp(t, `alertname: `+a.Alert+`\}`, string(tried), "a moment at which it must not speak")
		assert.Regexp(t, `alertname: `+a.Alert+`, exp_alerts: \[\{`, string(tried), "a moment at which it must")
	}
}

func TestAlertsThatSilenceOthersExist(t *testing.T) {
	content, err := os.ReadFile("alertmanager.yml")
	require.NoError(t, err)
	known := map[string]bool{}
	for _, a := range alerts(t) {
		known[a.Alert] = true
	}
	for _, match := range regexp.MustCompile(`alertname=~?"([A-Za-z|]+)"`).FindAllStringSubmatch(string(content), -1) {
		for name := range strings.SplitSeq(match[1], "|") {
			assert.True(t, known[name], name)
		}
	}
}

func TestTheDashboardAsksTheDataSourceThatIsProvisionedWhatItUnderstands(t *testing.T) {
	content, err := os.ReadFile("grafana/dashboards/relance.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title      string
			Type       string
			Datasource struct{ UID string }
			Targets    []struct {
				Expr, RefID string
				Datasource  struct{ UID string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(content, &dashboard))
	provisioned, err := os.ReadFile("grafana/provisioning/datasources/prometheus.yml")
	require.NoError(t, err)
	require.Contains(t, string(provisioned), "uid: prometheus\n")
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for _, panel := range dashboard.Panels {
		if panel.Type == "row" {
			continue
		}
		require.NotEmpty(t, panel.Targets, panel.Title)
		assert.Equal(t, "prometheus", panel.Datasource.UID, panel.Title)
		for _, target := range panel.Targets {
			assert.Equal(t, "prometheus", target.Datasource.UID, panel.Title)
			question, err := json.Marshal(strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
			require.NoError(t, err)
			rules += "  - {record: \"dashboard\", labels: {panel: \"" + panel.Title + target.RefID + "\"}, expr: " + string(question) + "}\n"
		}
	}
	// Prometheus itself says whether each question is one.
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
	run(t, "promtool", "check", "rules", file)
}
