// Package wassenger speaks to the WhatsApp provider: it sends a message, looks
// one up by its reference, asks after the device, registers for the provider's
// webhooks and understands them.
//
// It never repeats a request that sends. Every error carries a Class, which says
// whether the message may have left; what to do about it is the caller's matter.
// No error text holds a token, a phone number or a message text.
//
// The provider's API is known from its own published code and from recorded
// payloads, not from a specification. So this package sends documented fields
// only and reads whatever it gets with tolerance.
package wassenger
