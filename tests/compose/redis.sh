#!/bin/sh
# What the official image does: run the server as its own user.
set -eu
chown redis .
exec setpriv --reuid redis --regid redis --clear-groups "$@"
