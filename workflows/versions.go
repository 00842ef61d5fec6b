package workflows

// This file is where every change of workflow code that a running history could
// disagree with gets its name, for [go.temporal.io/sdk/workflow.GetVersion]:
//
//	const AnswerTwice = "answer-twice" // since v0.2.0: …
//
//	if workflow.GetVersion(ctx, AnswerTwice, workflow.DefaultVersion, 1) >= 1 { … }
//
// There is none yet. Whether a change needs one is told by the recorded histories
// (worker/replay_test.go) and, for what runs in production, by `relance replay`.
// A name and the code behind its old side go when no run is left that began
// before it: 72 hours after the deployment.
