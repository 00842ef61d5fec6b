package workflows

// This file is where every change of workflow code that a running history could
// disagree with gets its name, for [go.temporal.io/sdk/workflow.GetVersion].
// Whether a change needs one is told by the recorded histories
// (worker/replay_test.go) and, for what runs in production, by `relance replay`.
// A name and the code behind its old side go when no run is left that began
// before it: 72 hours after the deployment.

// Contacts, of which there are many, change by another workflow type instead, which
// an older worker leaves to the newer ones: a version costs each run three events.

// sendAhead since v0.2.0: a wave sends Message 1 before it starts its contacts, and
// these are of the type [ContactV2]. [Contact] goes with it. Its second version, since
// v0.3.0, lets contacts go once they have started.
const sendAhead = "send-ahead"

// letGo since v0.3.0: a campaign does not learn from its waves that everyone is final.
const letGo = "let-go"
