package devstack

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// watchScript reads until the end of its input and then sends signal $2 to process
// $1.
const watchScript = `read -r _; kill -"$2" "$1"`

// watchOver starts a shell that waits for the end of this process, however it
// comes about, and then sends sig to pid. Release ends the watch without a
// signal. Linux has a better way, see child_linux.go.
func watchOver(pid int, sig syscall.Signal) (release func(), err error) {
	// Only we hold the writing end, so that the read ends when we do.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("watch over process %d: %w", pid, err)
	}
	defer read.Close()
	watcher := exec.Command("/bin/sh", "-c", watchScript, "relance-watcher",
		strconv.Itoa(pid), strconv.Itoa(int(sig)))
	watcher.Stdin = read
	// In a group of its own, else what kills our group kills the watcher first.
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := watcher.Start(); err != nil {
		write.Close()
		return nil, fmt.Errorf("watch over process %d: %w", pid, err)
	}
	return func() {
		_ = watcher.Process.Kill()
		_ = watcher.Wait()
		write.Close()
	}, nil
}
