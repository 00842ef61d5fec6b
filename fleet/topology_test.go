package fleet

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/deploy"
	"github.com/relance/relance/devstack"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// topology is docker-compose.yml without containers: the program that the Dockerfile
// builds, called as the file says, with the environment that the file gives, where
// only the addresses of the containers are others.
type topology struct {
	t         *testing.T
	project   *types.Project
	program   string
	folder    string
	elsewhere *strings.Replacer // where the containers' addresses are in truth
}

// course is how a campaign goes over it.
type course struct {
	contacts int
	hour     time.Duration // of the contacts' lives
	restarts int           // of all processes, one after another
	dotEnv   map[string]string
}

func chosenCourse() course {
	c := course{contacts: 60, hour: 200 * time.Millisecond, restarts: 1, dotEnv: map[string]string{"SHUTDOWN_DELAY": "1s"}}
	if os.Getenv("RELANCE_SOAK") != "" {
		c = course{contacts: 10_000, hour: 5 * time.Second, restarts: 2, dotEnv: map[string]string{}}
	}
	window := 24 * c.hour
	maps.Copy(c.dotEnv, map[string]string{
		"SIMULATOR_HOUR": c.hour.String(), "REPLY_WINDOW": window.String(), "SEND_LIMIT_WINDOW": window.String(),
		"SEND_LIMIT": fmt.Sprint(3 * c.contacts), "CAMPAIGN_DEADLINE": "1h", "SEND_SETTLE": "2s", "SEND_BACKOFF": "200ms",
		"ADMIN_TOKEN": adminToken, "WEBHOOK_TOKEN": webhookToken, "RELANCE_DB_PASSWORD": "a-password-of-the-database",
	})
	return c
}

// What `docker compose --profile simulator up` starts runs a campaign to its end while
// every API and every worker process is restarted, one after another, with messages
// and replies on their way: nothing is lost and nothing doubled.
func TestTheComposedTopologyCarriesACampaignThroughRollingRestarts(t *testing.T) {
	c := chosenCourse()
	top := readTopology(t, c)
	requireStatic(t, top.program)
	f := top.start(c)

	id := f.launch(c.contacts)
	for n := range c.restarts {
		f.provider.awaitMessages(c.contacts * (n + 1) / (c.restarts + 1))
		f.restartOneAfterAnother()
	}
	f.provider.awaitSilence(func() error { return f.everybodyIsFinal(id) })
	f.awaitAgreement(id)
	f.requireLedger(id)
	f.requireWatchable()
}

func readTopology(t *testing.T, c course) *topology {
	t.Helper()
	top := &topology{t: t, folder: t.TempDir()}
	var err error
	top.project, err = deploy.Compose(t.Context(), c.dotEnv)
	require.NoError(t, err)
	top.program, err = deploy.BuildImage(t.Context(), top.folder)
	require.NoError(t, err)
	return top
}

// requireStatic: an image that holds nothing else has nobody to load libraries.
func requireStatic(t *testing.T, program string) {
	t.Helper()
	binary, err := elf.Open(program)
	require.NoError(t, err)
	defer binary.Close()
	for _, segment := range binary.Progs {
		require.NotEqual(t, elf.PT_INTERP, segment.Type, "the program asks for a loader")
	}
}

// start starts everything in the order that depends_on asks for.
func (top *topology) start(c course) *fleet {
	t := top.t
	t.Helper()
	redis, err := devstack.StartRedis("")
	require.NoError(t, err)
	t.Cleanup(redis.Stop)
	temporal := top.startTemporal()
	port, err := devstack.FreePort()
	require.NoError(t, err)
	simulatorAddress := fmt.Sprintf("127.0.0.1:%d", port)
	f := &fleet{
		t: t, size: size{processes: *top.project.Services["api"].Deploy.Replicas, contacts: c.contacts, replyWindow: 24 * c.hour},
		folder: top.folder, binary: top.program, client: &http.Client{Timeout: 30 * time.Second},
	}
	t.Cleanup(f.client.CloseIdleConnections)
	f.apis, f.workers = newRow("api", f.size.processes), newRow("worker", f.size.processes)
	entry := httptest.NewServer(f.entry())
	t.Cleanup(entry.Close)
	top.elsewhere = strings.NewReplacer(
		"postgres:5432", fmt.Sprintf("127.0.0.1:%d", testenv.Postgres(t).Port()), "redis:6379", strings.TrimSuffix(strings.TrimPrefix(redis.URL(), "redis://"), "/0"),
		"temporal:7233", temporal.Address(), "simulator:8090", simulatorAddress, "entry:8080", strings.TrimPrefix(entry.URL, "http://"),
		"--listen=:8090", "--listen="+simulatorAddress, "/data/", top.folder+"/",
		"//relance:", "//relance_alone:") // here relance is the superuser

	f.environment = top.environment("api")
	require.Equal(t, f.environment, top.environment("worker"))
	top.makeDatabase(f.environment["DATABASE_URL"])
	f.db, err = store.Connect(f.environment["DATABASE_URL"], 2)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.db.Close()) })

	top.once("migrate")
	top.once("temporal-setup")
	f.provider = &provider{t: t, simulator: &farSimulator{t: t, url: "http://" + simulatorAddress, client: f.client}}
	top.goOn("simulator")
	require.Eventually(t, func() bool { return top.run("health", "--url=http://"+simulatorAddress+"/simulator/health") == nil }, patience, tick)
	for _, row := range []*row{f.apis, f.workers} {
		require.Equal(t, types.ShellCommand{row.command}, top.project.Services[row.command].Command)
		for place := range row.processes {
			require.NoError(t, f.fill(row, place))
		}
		require.NoError(t, top.run("health", "--url="+row.all()[0].internal+"/healthz"), "what the image's HEALTHCHECK asks")
	}
	return f
}

func (top *topology) startTemporal() *devstack.Temporal {
	if os.Getenv("RELANCE_SOAK") == "" {
		return testenv.Temporal(top.t)
	}
	temporal, err := devstack.StartTemporal(top.t.Context(), devstack.TemporalOptions{UIPort: -1, DBFile: filepath.Join(top.folder, "temporal.db")})
	require.NoError(top.t, err)
	top.t.Cleanup(func() { require.NoError(top.t, temporal.Stop(context.Background())) })
	return temporal
}

// environment is a service's, with every address where it is in truth.
func (top *topology) environment(service string) map[string]string {
	environment := map[string]string{}
	for variable, value := range top.project.Services[service].Environment {
		environment[variable] = top.elsewhere.Replace(*value)
	}
	return environment
}

func (top *topology) command(service string) []string {
	var command []string
	for _, argument := range top.project.Services[service].Command {
		command = append(command, top.elsewhere.Replace(argument))
	}
	return command
}

// makeDatabase does what deploy/postgres/init.sql does for Relance: a role that owns
// its database and has no other right.
func (top *topology) makeDatabase(address string) {
	t := top.t
	t.Helper()
	database, err := url.Parse(address)
	require.NoError(t, err)
	password, _ := database.User.Password()
	role, name := database.User.Username(), strings.TrimPrefix(database.Path, "/")
	do := func(statements ...string) {
		admin, err := pgx.Connect(context.Background(), testenv.Postgres(t).URL("postgres"))
		require.NoError(t, err)
		defer func() { require.NoError(t, admin.Close(context.Background())) }()
		for _, statement := range statements {
			_, err := admin.Exec(context.Background(), statement)
			require.NoError(t, err)
		}
	}
	do("CREATE ROLE "+role+" LOGIN PASSWORD '"+password+"'", "CREATE DATABASE "+name+" OWNER "+role)
	t.Cleanup(func() { do("DROP DATABASE "+name+" WITH (FORCE)", "DROP ROLE "+role) })
}

// once runs a service that ends by itself.
func (top *topology) once(service string) {
	top.t.Helper()
	require.NoError(top.t, top.run(top.command(service)...))
}

// run runs the program to its end, with the environment that all of Relance has.
func (top *topology) run(arguments ...string) error {
	p, err := devstack.StartProgram(devstack.ProgramOptions{
		Name: arguments[0], Path: top.program, Args: arguments, Environment: top.environment("api"),
	})
	if err != nil {
		return err
	}
	<-p.Done()
	return p.Stop(context.Background())
}

// goOn starts a service that runs until the test ends.
func (top *topology) goOn(service string) {
	t := top.t
	t.Helper()
	log, err := os.Create(filepath.Join(top.folder, service+".log"))
	require.NoError(t, err)
	p, err := devstack.StartProgram(devstack.ProgramOptions{
		Name: service, Path: top.program, Args: top.command(service), Environment: top.environment(service), Log: log,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.Stop(context.Background()))
		require.NoError(t, log.Close())
		if t.Failed() {
			t.Logf("%s complained last of:\n%s", service, complaints(log.Name()))
		}
	})
}

// entry is a load balancer that asks nobody for their health: worse than the one in
// docker-compose.yml. What reaches a process that has just stopped is refused.
func (f *fleet) entry() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			apis := f.apis.all()
			to, err := url.Parse(apis[rand.IntN(len(apis))].url)
			require.NoError(f.t, err)
			r.SetURL(to)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// restartOneAfterAnother stops each process in good order, with what it does at the
// time, and starts another in its place before it comes to the next.
func (f *fleet) restartOneAfterAnother() {
	f.t.Helper()
	for _, row := range []*row{f.apis, f.workers} {
		for place, p := range row.all() {
			begun := time.Now()
			require.NoError(f.t, p.Stop(context.Background()), "%s ends as it was asked to", p.name)
			f.t.Logf("%s ended within %s; %d messages have left", p.name, time.Since(begun).Round(time.Millisecond), f.provider.simulator.Health().Messages)
			require.NoError(f.t, f.fill(row, place))
		}
	}
}

// requireWatchable: what the alerts and the dashboard ask for, some process tells.
func (f *fleet) requireWatchable() {
	f.t.Helper()
	asked, err := deploy.MetricNames()
	require.NoError(f.t, err)
	require.NotEmpty(f.t, asked)
	told := map[string]bool{}
	for _, p := range slices.Concat(f.apis.all(), f.workers.all()) {
		for name := range f.metrics(p) {
			told[name] = true
		}
	}
	for _, name := range asked {
		require.True(f.t, told[name], "nobody exports %s", name)
	}
}

// farSimulator is a simulator in a process of its own.
type farSimulator struct {
	t      testing.TB
	url    string
	client *http.Client
}

func (s *farSimulator) Ledger() (ledger simulator.Ledger) {
	s.read("/simulator/ledger", &ledger)
	return ledger
}

func (s *farSimulator) Health() (health simulator.Health) {
	s.read("/simulator/health", &health)
	return health
}

func (s *farSimulator) read(path string, into any) {
	s.t.Helper()
	status, answer, err := call(s.t.Context(), s.client, http.MethodGet, s.url+path, "", "")
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, status)
	require.NoError(s.t, json.Unmarshal(answer, into))
}
