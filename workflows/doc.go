// Package workflows runs campaigns on Temporal: a Campaign admits contacts wave
// by wave, a Wave runs its contacts, a Contact lives one contact's story.
//
// The workflows decide nothing that must happen once. They wait, time, retry and
// wake; the database decides (package store). A lost, doubled or late wake-up
// can delay a decision, never make it twice.
//
// Histories and ids carry UUIDs only: no phone number, no text.
package workflows
