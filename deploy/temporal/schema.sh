#!/bin/sh
# Brings Temporal's two databases to the schema that this version wants. It may be run
# again: what is there is kept. SQL_PASSWORD holds the password.
set -eu

migrate() {
	database=$1 versions=$2
	set -- --plugin "$DB" --endpoint "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" --database "$database"
	temporal-sql-tool "$@" setup-schema --version 0.0
	temporal-sql-tool "$@" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$versions/versioned"
}

migrate temporal temporal
migrate temporal_visibility visibility
