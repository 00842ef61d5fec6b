// Package campaign is the domain of Relance: what a two-step WhatsApp campaign
// is and the rules it obeys. It is pure: no I/O, no clock, no Temporal, standard
// library only. Whoever needs a moment or a number passes it in.
package campaign
