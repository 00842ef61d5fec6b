// Package reconcile makes the three that keep Relance's truth agree again after
// one of them has lost something: the database, which may be an older one that
// was restored, the provider, which knows what has left, and Temporal, which may
// run what the database does not know, or not run what it does.
//
// All of it may be repeated at any time and go on after an interruption: what is
// to be done is always found by comparing. Nothing here sends a message.
package reconcile
