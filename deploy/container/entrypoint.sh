#!/bin/sh
# Every container begins here: what make_secrets.py made is put into the environment, then the command runs.
set -eu
if [ -r "${SECRETS:-/secrets}/env" ]; then
    set -a
    . "${SECRETS:-/secrets}/env"
    set +a
fi
exec "$@"
