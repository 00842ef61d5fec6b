// Package devstack starts what Relance leans on, so that a machine with only
// Go and Node can run it and test it: a real PostgreSQL, a real Temporal server
// with its Web UI, and an in-process Redis. `relance dev` and the tests use it;
// production never does.
//
// Three promises hold for every server started here:
//
//   - It dies with the process that started it, also when that process is
//     killed with SIGKILL, and leaves no process behind.
//   - What it wrote is there when it is started again on the same files, however
//     it ended.
//   - It listens on 127.0.0.1 only.
//
// Linux and macOS are supported.
package devstack
