package testenv

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relance/relance/devstack"
)

// Postgres returns the server that the tests of this process share. Most tests
// want a Database instead.
func Postgres(t testing.TB) *devstack.Postgres {
	t.Helper()
	server, err := postgres()
	return must(t, server, err)
}

func startPostgres() (*devstack.Postgres, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	ctx, cancel := startTimeout()
	defer cancel()
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{
		DataDir:  dir.Path("postgres"),
		Settings: devstack.Throwaway(),
	})
	if err != nil {
		return nil, err
	}
	onShutdown(server.Stop)
	return server, nil
}

// Database returns the URL of a database of the test's own, dropped when the test
// ends. It holds what migrate makes of an empty one; nil leaves it empty. Migrate
// runs once per process, on a template that is then copied in some tens of
// milliseconds. It must be a declared function (not a closure over something that
// changes), since that is what tells one template from another, and must close
// its connections.
func Database(t testing.TB, migrate func(ctx context.Context, url string) error) string {
	t.Helper()
	server := Postgres(t)
	ctx, cancel := startTimeout()
	defer cancel()

	name := fmt.Sprintf("test_%d", databases.Add(1))
	if migrate == nil {
		if err := server.CreateDatabase(ctx, name); err != nil {
			t.Fatalf("testenv: %v", err)
		}
	} else {
		template, err := templateFor(server, migrate)
		if err == nil {
			err = server.CreateDatabaseFromTemplate(ctx, name, template)
		}
		if err != nil {
			t.Fatalf("testenv: %v", err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := server.DropDatabase(ctx, name); err != nil {
			t.Errorf("testenv: %v", err)
		}
	})
	return server.URL(name)
}

var (
	databases atomic.Int64
	templates sync.Map // of the migrate function's address to func() (string, error)
)

// templateFor returns the name of the database that migrate has been applied to.
func templateFor(server *devstack.Postgres, migrate func(context.Context, string) error) (string, error) {
	migrated := sync.OnceValues(func() (string, error) {
		ctx, cancel := startTimeout()
		defer cancel()
		name := fmt.Sprintf("template_%d", databases.Add(1))
		if err := server.CreateDatabase(ctx, name); err != nil {
			return "", err
		}
		if err := migrate(ctx, server.URL(name)); err != nil {
			return "", fmt.Errorf("migrate the template of test databases: %w", err)
		}
		return name, nil
	})
	first, _ := templates.LoadOrStore(reflect.ValueOf(migrate).Pointer(), migrated)
	return first.(func() (string, error))()
}
