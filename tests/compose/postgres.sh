#!/bin/sh
# What the official image does at its first start: a database cluster with one user and one database.
set -eu
chown postgres "$PGDATA"
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(mktemp)
    cp "$POSTGRES_PASSWORD_FILE" "$password"
    chown postgres "$password"
    as_postgres initdb -U "$POSTGRES_USER" --pwfile "$password" --auth-host scram-sha-256 --auth-local trust -E UTF8 >/dev/null
    rm "$password"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    as_postgres postgres --single -D "$PGDATA" postgres >/dev/null <<SQL
create database $POSTGRES_DB
SQL
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -c listen_addresses='*'
