//go:build !linux

package devstack

import (
	"os/exec"
	"syscall"
)

// startTied starts cmd with a watcher beside it, since only Linux can tie the
// life of a process to that of its parent. Release ends the watcher.
func startTied(cmd *exec.Cmd, sig syscall.Signal) (release func(), err error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	release, err = watchOver(cmd.Process.Pid, sig)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return release, nil
}
