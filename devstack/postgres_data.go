package devstack

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	superuser    = "relance"
	passwordFile = "relance.password"
)

// dataDir is the folder that a PostgreSQL server keeps its files in.
type dataDir struct {
	path     string
	runAs    *account
	binaries postgresBinaries
	password string
}

// openDataDir returns the data directory at path, made if there is none. It must
// be called under the lease of path.
func openDataDir(ctx context.Context, path string, opts PostgresOptions) (dataDir, error) {
	runAs, err := serverAccount()
	if err != nil {
		return dataDir{}, err
	}
	dir := dataDir{runAs: runAs}
	if dir.path, err = place(path, runAs); err != nil {
		return dir, err
	}
	major, err := majorOf(dir.path)
	if err != nil {
		return dir, err
	}
	if major != 0 {
		if dir.runAs, err = accountOf(dir.path, runAs); err != nil {
			return dir, err
		}
	}
	if dir.binaries, err = findPostgres(opts.BinDir, dir.runAs, major); err != nil {
		return dir, err
	}
	if major == 0 {
		if err := dir.create(ctx, opts.Settings["fsync"] != "off"); err != nil {
			return dir, fmt.Errorf("make a PostgreSQL data directory at %s: %w", dir.path, err)
		}
	}
	password, err := os.ReadFile(filepath.Join(dir.path, passwordFile))
	if err != nil {
		return dir, fmt.Errorf("the PostgreSQL data directory %s was not made by Relance, or by another user: %w", dir.path, err)
	}
	dir.password = string(bytes.TrimSpace(password))
	return dir, nil
}

// place returns where the data directory asked for at path really is. That is
// path itself, unless we are root and the account that the server runs as cannot
// get there (a checkout under /root): then path is a symbolic link into
// /var/lib/relance, and removing the link is removing the data.
func place(path string, runAs *account) (string, error) {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return "", err
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		return followed(path)
	case runAs.canEnter(parent):
		return path, nil
	// An empty folder may be replaced by a link.
	case err == nil && os.Remove(path) != nil:
		return "", fmt.Errorf("user %s, whom PostgreSQL runs as, cannot enter %s: open the folders above it (chmod o+x), or remove it to start anew", runAs.name, parent)
	}
	if err := makeReachable(); err != nil {
		return "", fmt.Errorf("user %s, whom PostgreSQL runs as, cannot enter %s, and there is no other place: %w", runAs.name, parent, err)
	}
	target := reachableFor(path)
	// What is there belonged to a link that has been removed since.
	if err := os.RemoveAll(target); err != nil {
		return "", err
	}
	return target, os.Symlink(target, path)
}

// followed is where a link points to; that place may have been removed.
func followed(link string) (string, error) {
	target, err := os.Readlink(link)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	return target, os.MkdirAll(filepath.Dir(target), 0o755)
}

// majorOf is the version that made the directory, 0 if it is missing or empty.
func majorOf(dir string) (int, error) {
	version, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err == nil {
		return strconv.Atoi(string(bytes.TrimSpace(version)))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return 0, fmt.Errorf("%s holds files but no PostgreSQL data: it is left alone", dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	return 0, err
}

// create runs initdb beside the final place and renames, so that one that was
// killed half-way leaves nothing that looks like a database.
func (d *dataDir) create(ctx context.Context, durable bool) error {
	abandoned, _ := filepath.Glob(d.path + ".partial-*")
	for _, path := range abandoned {
		_ = os.RemoveAll(path)
	}
	// A new name each time, since an initdb that is just being killed may still write.
	partial, err := os.MkdirTemp(filepath.Dir(d.path), filepath.Base(d.path)+".partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	if err := d.runAs.own(partial); err != nil {
		return err
	}
	// initdb wants an empty folder, and its password from a file.
	password := partial + ".password"
	defer os.Remove(password)
	if err := d.write(password, rand.Text()); err != nil {
		return err
	}
	if err := d.initdb(ctx, partial, password, durable); err != nil {
		return err
	}
	if err := os.Rename(password, filepath.Join(partial, passwordFile)); err != nil {
		return err
	}
	if err := os.Remove(d.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(partial, d.path)
}

func (d *dataDir) write(path, content string) error {
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		return err
	}
	return d.runAs.own(path)
}

func (d *dataDir) initdb(ctx context.Context, dir, password string, durable bool) error {
	args := []string{
		"--pgdata=" + dir,
		"--username=" + superuser,
		"--pwfile=" + password,
		"--auth=scram-sha-256",
		"--encoding=UTF8",
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	var failures []error
	for _, locale := range d.locales() {
		err := d.run(ctx, "initdb", append(args, locale...)...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		failures = append(failures, fmt.Errorf("with %s: %w", strings.Join(locale, " "), err))
	}
	return errors.Join(failures...)
}

// locales are the ways to get Unicode text in byte order, best first: not every
// system knows C.UTF-8 (macOS does not), and versions before 17 do not bring it.
func (d *dataDir) locales() [][]string {
	if d.binaries.major >= 17 {
		return [][]string{{"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"}}
	}
	return [][]string{{"--locale=C.UTF-8"}, {"--locale=C"}}
}

// run runs a program to its end.
func (d *dataDir) run(ctx context.Context, program string, args ...string) error {
	started, err := d.command(program, syscall.SIGKILL, args...).start()
	if err != nil {
		return err
	}
	select {
	case <-started.done:
		if started.err != nil {
			return started.ended()
		}
		return nil
	case <-ctx.Done():
		_ = started.signal(syscall.SIGKILL)
		<-started.done
		return fmt.Errorf("%s: %w", program, ctx.Err())
	}
}

func (d *dataDir) command(program string, deathSignal syscall.Signal, args ...string) command {
	return command{
		name:        program,
		path:        d.binaries.program(program),
		args:        args,
		env:         postgresEnv(),
		dir:         "/",
		account:     d.runAs,
		deathSignal: deathSignal,
	}
}

// postgresEnv keeps our settings (PGDATA, LC_ALL, TZ and so on) from the server.
func postgresEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// postmasterPID is the server that the directory says is running in it, 0 if none.
func (d *dataDir) postmasterPID() int {
	content, err := os.ReadFile(filepath.Join(d.path, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}
