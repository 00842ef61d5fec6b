// Package fleet is a test and nothing else: many processes of Relance's own
// binary, `relance api` and `relance worker`, on one PostgreSQL and one Temporal
// server, of which some are killed and stopped while a campaign runs. The
// provider's ledger judges what they did together.
//
// The second test starts what docker-compose.yml does, from the same file and without
// containers, and restarts all of it while a campaign runs.
//
// RELANCE_SOAK=1 runs ten of each kind and a thousand contacts, and ten thousand
// through two restarts of everything.
package fleet
