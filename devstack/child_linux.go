package devstack

import (
	"os/exec"
	"syscall"
)

// startTied starts cmd so that the kernel sends it sig when the calling thread
// ends. The caller holds that thread until the child is gone, then calls release.
func startTied(cmd *exec.Cmd, sig syscall.Signal) (release func(), err error) {
	cmd.SysProcAttr.Pdeathsig = sig
	return func() {}, cmd.Start()
}
