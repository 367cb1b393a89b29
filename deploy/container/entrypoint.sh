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
# Where secrets come through the environment, as on Kubernetes.
if [ -n "${ADMIN_PASSWORD:-}" ]; then
    export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE="$AIRFLOW_HOME/passwords.json"
    python3 -c 'import json, os; print(json.dumps({"admin": os.environ["ADMIN_PASSWORD"]}))' \
        >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
fi
exec "$@"
