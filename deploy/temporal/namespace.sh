#!/bin/sh
# Makes Relance's namespace unless it is there. A contact's workflow lives for three
# days at most; closed ones can be looked at for as long again.
set -eu

temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1 ||
	temporal operator namespace create --namespace "$NAMESPACE" --retention 3d
