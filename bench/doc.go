// Package bench measures Relance as it runs in production: the binary itself
// (`relance serve`) on a PostgreSQL that keeps what it has committed, a Temporal
// server with its data in a file, and the simulated provider over HTTP. `make
// bench` prints one table and writes it to RESULTS.md.
//
// Beside each figure stands the floor of the same machine, in the same run: what
// a bare insert with its commit takes, and a workflow of no-op activities. A
// machine that is slow shows in both. One that is busy with something else shows
// in the last column, the processor time that went elsewhere: beyond a few
// seconds the figures say little. Nothing fails for being slow: the figures are
// for people to judge. Something refused, lost or sent twice fails.
//
// Load comes in an open loop: when each request is due is fixed in advance, and
// it counts as late from then, so that a stall counts for everything that had to
// wait for it. The replies to a whole campaign come at full speed instead, where
// the question is how many are answered in a second.
package bench
