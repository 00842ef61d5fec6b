package worker_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/reconcile"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// keepsWAL are servers whose database can be restored to any moment since backUp.
func keepsWAL(t testing.TB) *servers {
	return ownServersWith(t, map[string]string{"wal_level": "replica", "wal_keep_size": "1GB", "full_page_writes": "on", "hot_standby": "off"})
}

// backUp copies the files of the running database, as pg_basebackup does.
func (s *servers) backUp() (copied string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	require.NoError(s.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(s.t.Context(), `SELECT pg_backup_start('test', true)`)
	require.NoError(s.t, err)
	copied = s.database.DataDir + ".backup"
	s.copyFiles(s.database.DataDir, copied)
	var label string
	require.NoError(s.t, conn.QueryRow(s.t.Context(), `SELECT labelfile FROM pg_backup_stop(false)`).Scan(&label))
	require.NoError(s.t, os.Remove(filepath.Join(copied, "postmaster.pid")))
	s.write(filepath.Join(copied, "backup_label"), label)
	return copied
}

// copyFiles keeps the owner, whom the server runs as.
func (s *servers) copyFiles(from, to string) {
	s.t.Helper()
	said, err := exec.CommandContext(s.t.Context(), "cp", "-a", from, to).CombinedOutput()
	require.NoError(s.t, err, string(said))
}

// write writes a file that belongs to whom its folder belongs to.
func (s *servers) write(path, content string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
	info, err := os.Stat(filepath.Dir(path))
	require.NoError(s.t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(s.t, os.Chown(path, int(owner.Uid), int(owner.Gid)))
}

// restoreTo kills the database and starts the backup, recovered to a moment.
func (s *servers) restoreTo(backup, lsn string) {
	s.t.Helper()
	s.stopDatabase()
	lost := s.database.DataDir + ".lost"
	require.NoError(s.t, os.Rename(s.database.DataDir, lost))
	require.NoError(s.t, os.Rename(backup, s.database.DataDir))
	s.write(filepath.Join(s.database.DataDir, "recovery.signal"), "")
	s.database.Settings["restore_command"] = `cp "` + lost + `/pg_wal/%f" "%p"`
	s.database.Settings["recovery_target_lsn"] = lsn
	s.database.Settings["recovery_target_action"] = "promote"
	s.startDatabase()
	require.Eventually(s.t, func() bool {
		conn, err := pgx.Connect(s.t.Context(), s.url)
		if err != nil {
			return false
		}
		defer conn.Close(context.Background())
		var recovering bool
		return conn.QueryRow(s.t.Context(), `SELECT pg_is_in_recovery()`).Scan(&recovering) == nil && !recovering
	}, patience, 50*time.Millisecond)
}

// moments notes where the database is, again and again, until it is asked for them.
func (s *servers) moments() (stop func() []string) {
	conn, err := pgx.Connect(s.t.Context(), s.url)
	require.NoError(s.t, err)
	var all []string
	ctx, cancel := context.WithCancel(context.Background())
	var noting sync.WaitGroup
	noting.Go(func() {
		defer conn.Close(context.Background())
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			var lsn string
			if conn.QueryRow(ctx, `SELECT pg_current_wal_lsn()::text`).Scan(&lsn) == nil && (len(all) == 0 || all[len(all)-1] != lsn) {
				all = append(all, lsn)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return sync.OnceValue(func() []string {
		cancel()
		noting.Wait()
		return all
	})
}

func (r *relance) reconciler() *reconcile.Reconciler {
	return &reconcile.Reconciler{
		Store: r.store, Provider: r.provider, Engine: r.engine, Namespace: r.namespace, SendTimeout: r.timeout, Rate: 200, Apply: true,
	}
}

// talkative contacts reply soon, most of them, some twice.
func talkative(c *simulator.Config) {
	lively(c)
	c.Contacts.Reply, c.Contacts.ReplyDelay = 0.7, simulator.Delay{Max: time.Second}
	// What the provider does not list: see docs/guarantees.md.
	c.Contacts.ReplyTypes = map[simulator.ReplyType]float64{simulator.ReplyText: 2, simulator.ReplyVoice: 1, simulator.ReplyImage: 1}
}

// Whatever moment the database is restored to while a campaign runs, beside workers
// that go on: nothing leaves before it is reconciled, and then nobody gets anything
// twice and everybody who replied is answered.
func TestAfterRestoringAnOlderDatabaseNothingIsSentTwiceAndEveryReplyIsAnswered(t *testing.T) {
	t.Parallel()
	s := keepsWAL(t)
	rules := shrunk()
	rules.ReplyWindow, rules.Quota.Window, rules.Deadline = time.Hour, time.Hour, 2*time.Hour
	rules.Quota.Limit = 70 // fewer than the messages of everybody: some wait for room, and go on waiting
	r := startOn(t, s.temporal, s.url, rules, talkative)
	r.startWorker()
	backup := s.backUp()
	noted := s.moments()

	id := r.launch(60)
	// Not to the end: some are admitted, some have replied, some wait.
	messages := 20 + rand.IntN(40)
	require.Eventually(t, func() bool { return len(r.simulator.Ledger().Messages) >= messages }, patience, 5*time.Millisecond)
	moments := noted()
	moment := rand.IntN(len(moments))
	s.restoreTo(backup, moments[moment])
	t.Logf("restored to moment %d of %d, after %d messages", moment, len(moments), messages)

	standing, err := r.store.Standing(t.Context())
	require.NoError(t, err)
	require.True(t, standing.Restored, "it is refused before anybody has said so")
	report, err := r.reconciler().Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Remains)
	t.Logf("%+v %+v", *report.Provider, *report.Temporal)

	if r.count(`SELECT count(*) FROM campaigns WHERE id = $1`, id) == 0 {
		require.Equal(t, len(r.simulator.Ledger().Messages), report.Provider.Strangers, "they count against the quota")
		r.requireNothingTwice()
		return
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		usage, err := r.store.Usage(t.Context())
		require.NoError(c, err)
		require.Zero(c, usage.Admitted, "whoever is admitted gets Message 1")
		require.Zero(c, usage.Owed, "whoever replied is answered")
		require.Zero(c, usage.InFlight)
		require.Empty(c, r.unanswered())
		require.Equal(c, len(r.simulator.Ledger().Messages), usage.Sent, "the quota counts what really left")
	}, patience, 50*time.Millisecond)
	r.requireNothingTwice()
	r.requireLedger(id)

	again, err := r.reconciler().Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, again.Remains)
	require.True(t, again.Provider.Message1+again.Provider.Message2+again.Provider.Replies+again.Provider.Strangers == 0, "%+v", again.Provider)
}

// requireNothingTwice judges by the provider's ledger alone.
func (r *relance) requireNothingTwice() {
	r.t.Helper()
	got := map[[2]string]int{}
	for _, message := range r.simulator.Ledger().Messages {
		got[[2]string{message.Phone, message.Text}]++
	}
	for who, n := range got {
		require.Equal(r.t, 1, n, "%s", who[1])
	}
}

// unanswered are those who replied, as the ledger has it, and got no Message 2.
func (r *relance) unanswered() (phones []string) {
	messages := map[string]int{}
	ledger := r.simulator.Ledger()
	for _, message := range ledger.Messages {
		messages[message.Phone]++
	}
	for _, reply := range ledger.Replies {
		if messages[reply.Phone] < 2 {
			phones = append(phones, reply.Phone)
		}
	}
	return phones
}

// A copy of the files that is put back as it was cannot be told from the original:
// the operator's word is what stops everything, from the first moment of the command.
func TestWhileARestoredDatabaseIsReconciledNothingIsSent(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.ReplyWindow, rules.Quota.Window, rules.Deadline = time.Hour, time.Hour, 2*time.Hour
	rules.SendSettle = time.Hour // the reconciliation does not come to its end by itself
	r := start(t, rules, func(*simulator.Config) {})
	r.startWorker()
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := r.reconciler().Run(ctx)
		ended <- err
	}()
	require.Eventually(t, func() bool {
		standing, err := r.store.Standing(t.Context())
		return err == nil && standing.Restored
	}, patience, 5*time.Millisecond)
	id := r.stored(1, time.Now())
	_, err := r.store.FreezeAudience(t.Context(), id)
	require.ErrorIs(t, err, store.ErrRestored)
	interrupt()
	require.ErrorIs(t, <-ended, context.Canceled)
	_, err = r.store.FreezeAudience(t.Context(), id)
	require.ErrorIs(t, err, store.ErrRestored, "an interrupted reconciliation leaves it so")
	require.Empty(t, r.simulator.Ledger().Messages)
}

func TestAfterTemporalsDatabaseIsLostEveryoneIsAnsweredAndTheCampaignGoesOn(t *testing.T) {
	t.Parallel()
	s := ownServers(t)
	rules := shrunk()
	rules.ReplyWindow, rules.Quota.Window, rules.Deadline = 6*time.Second, 6*time.Second, patience
	rules.Quota.Limit = 40 // a part of them in each window
	r := startOn(t, s.temporal, s.url, rules, func(c *simulator.Config) {
		talkative(c)
		c.Contacts.ReplyDelay = simulator.Delay{Max: 4 * time.Second}
	})
	r.leaveAllToWorkflows()
	r.startWorker()
	id := r.launch(40)
	later := r.stored(1, time.Now().Add(5*time.Second))
	require.Eventually(t, func() bool { return len(r.simulator.Ledger().Messages) >= 15 }, patience, 5*time.Millisecond)

	s.stopTemporal()
	for _, file := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(s.engine.DBFile+file))
	}
	s.startTemporal()
	registerNamespace(t, r.temporal, r.namespace)

	rebuilding := r.reconciler()
	look := r.reconciler()
	look.Apply = false
	var found *reconcile.Report
	require.Eventually(t, func() bool { // the server has to learn of its new namespace
		var err error
		found, err = look.Rebuild(t.Context())
		return err == nil
	}, patience, 100*time.Millisecond)
	require.NotEmpty(t, found.Remains)
	require.Positive(t, found.Temporal.Campaigns) // the later one too, on a slow machine
	require.Eventually(t, func() bool {
		_, err := rebuilding.Rebuild(t.Context())
		return err == nil
	}, patience, 100*time.Millisecond)

	for _, each := range []uuid.UUID{id, later} {
		r.awaitEnd(each)
		r.requireLedger(each)
	}
	r.requireNothingTwice()
	stats, err := r.store.CampaignStats(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 40, stats.ByType[campaign.Message1].Sent)
	require.Positive(t, stats.States[campaign.Message2Sent])
	require.Zero(t, stats.States[campaign.Failed])
}

// What was interrupted is gone on with, and whoever has a workflow is left alone.
func TestRebuildingGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	rules := shrunk()
	rules.ReplyWindow, rules.Quota.Window, rules.Deadline = time.Hour, time.Hour, 2*time.Hour
	r := start(t, rules, func(*simulator.Config) {})
	r.leaveAllToWorkflows()
	stop := r.startWorker()
	r.launch(30)
	require.Eventually(t, func() bool {
		return r.countAll(`SELECT count(*) FROM recipients WHERE state = 'message_1_sent'`) == 30
	}, patience, 20*time.Millisecond)
	stop()
	r.namespace = ownNamespace(t, r.temporal) // with nothing in it
	r.connect()

	look := r.reconciler()
	look.Apply = false
	missing := func() int {
		report, err := look.Rebuild(t.Context())
		require.NoError(t, err)
		return report.Temporal.Waiting + report.Temporal.Campaigns
	}
	require.Equal(t, 31, missing())
	slow := r.reconciler()
	slow.Rate = 1 // after the first few, which may leave at once
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := slow.Rebuild(ctx)
		ended <- err
	}()
	require.Eventually(t, func() bool { return missing() < 25 }, patience, 50*time.Millisecond)
	interrupt()
	<-ended // with an error, unless this machine was slower than the rate

	_, err := r.reconciler().Rebuild(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return missing() == 0 }, patience, 50*time.Millisecond)
}
