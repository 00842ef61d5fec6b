// Package proof is a test and nothing else: a model of a campaign, and random
// campaigns of up to 50 contacts that are held against it.
//
// The workflows, the activities, the intake of webhooks and the store are the
// real ones, on a real PostgreSQL; Temporal's test environment skips the time, so
// that 72 hours take a second or two; the provider is a stand-in that fails on
// purpose. Read model_test.go to know what a campaign has to do.
//
// A failing campaign prints what happened and how to run it again.
// RELANCE_SOAK=1 lives through 300 campaigns instead of ten.
package proof
