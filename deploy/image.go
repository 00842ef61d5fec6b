package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/relance/relance/devstack"
)

// Instruction is one of the Dockerfile's, such as RUN and what is to be run.
type Instruction struct{ Name, Text string }

// Dockerfile reads the instructions in their order.
func Dockerfile() ([]Instruction, error) {
	root, err := devstack.FindRoot()
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile")) //nolint:gosec // our own
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	var instructions []Instruction
	for line := range strings.Lines(strings.ReplaceAll(string(content), "\\\n", " ")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, text, _ := strings.Cut(line, " ")
		instructions = append(instructions, Instruction{strings.ToUpper(name), strings.TrimSpace(text)})
	}
	return instructions, nil
}

// BuildImage makes in a folder what the Dockerfile puts into the image, from what
// .dockerignore lets through and by the command that stands there, and answers with
// the program's path.
func BuildImage(ctx context.Context, folder string) (program string, err error) {
	source := filepath.Join(folder, "src")
	if err := copyContext(source); err != nil {
		return "", fmt.Errorf("gathering what the image is built from: %w", err)
	}
	instructions, err := Dockerfile()
	if err != nil {
		return "", err
	}
	for _, each := range instructions {
		if each.Name != "RUN" || !strings.Contains(each.Text, "go build") {
			continue
		}
		build := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(each.Text, " /out/", " "+folder+"/")) //nolint:gosec // our own Dockerfile's
		build.Dir = source
		if output, err := build.CombinedOutput(); err != nil {
			return "", errors.Join(fmt.Errorf("building as the Dockerfile does: %w", err), errors.New(string(output)))
		}
		return filepath.Join(folder, "relance"), nil
	}
	return "", errors.New("the Dockerfile builds nothing")
}

// Ignored is what .dockerignore keeps out of the image's build.
func Ignored() (*patternmatcher.PatternMatcher, error) {
	root, err := devstack.FindRoot()
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(root, ".dockerignore")) //nolint:gosec // our own
	if err != nil {
		return nil, fmt.Errorf("reading .dockerignore: %w", err)
	}
	patterns, err := ignorefile.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading .dockerignore: %w", err)
	}
	return patternmatcher.New(patterns)
}

// copyContext copies what .dockerignore does not keep out.
func copyContext(target string) error {
	root, err := devstack.FindRoot()
	if err != nil {
		return err
	}
	ignored, err := Ignored()
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out, err := ignored.MatchesOrParentMatches(name)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && out:
			return filepath.SkipDir
		case out || !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(target, name))
	})
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from) //nolint:gosec // our own
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600) //nolint:gosec // within the folder of the image
}
