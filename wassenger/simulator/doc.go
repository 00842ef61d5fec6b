// Package simulator is a stand-in for the provider: it speaks the same HTTP as
// Wassenger, delivers webhooks in Wassenger's shapes and plays the contacts who
// read and answer. What each contact does follows from a seed alone, what goes
// wrong is chosen by [Faults], and the [Ledger] tells what truly happened, so
// that a campaign's own account can be checked against it.
//
// Below /v1/ it is the provider; every request needs the header Token:
//
//	POST /v1/messages               201, and in the ledger before it is answered
//	GET  /v1/messages?reference=…   an array, newest first
//	GET  /v1/messages/{id}
//	GET  /v1/devices, /v1/devices/{id}
//	GET  /v1/webhooks?status=…      an array, oldest first
//	POST /v1/webhooks?sample=…      the sample event is sent at once, to this webhook alone
//	GET, PATCH, DELETE /v1/webhooks/{id}, POST /v1/webhooks/{id}/enable
//
// Below /simulator/ it is itself, without a token:
//
//	GET  /simulator/health          a [Health]
//	GET  /simulator/ledger          a [Ledger]
//	GET  /simulator/faults, PUT     [Faults]; PUT replaces them all
//	POST /simulator/reply           a [ReplyRequest]: a contact replies now
//	POST /simulator/webhook         any body: it is delivered as it is
package simulator
