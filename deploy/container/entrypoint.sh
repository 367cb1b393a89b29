#!/bin/sh
# Every container begins here: Airflow's settings, and what make_secrets.py made, are put into the environment, but for
# what the container was given itself. Then the command runs.
set -eu
given=$(export -p)
set -a
. /opt/rotoscope/deploy/fleet.env
if [ -r "${SECRETS:-/secrets}/env" ]; then
    . "${SECRETS:-/secrets}/env"
fi
set +a
eval "$given"
exec "$@"
