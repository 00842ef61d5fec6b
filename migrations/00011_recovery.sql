-- +goose Up

-- What a message is known by at the provider follows from what it is: a database
-- that has been restored, and that makes the row anew, finds out by it whether
-- the message has left. A UUID of version 8, made by one expression, which PostgreSQL
-- takes into the statement: a million cost seconds.
-- +goose StatementBegin
CREATE FUNCTION relance_message_id(campaign_id uuid, contact_id uuid, message_type text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT overlay(overlay(left(encode(sha256(uuid_send(campaign_id) || uuid_send(contact_id) || message_type::bytea), 'hex'), 32)
        PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid
$$;
-- +goose StatementEnd

-- Which database this is. Every way of getting an older one makes it another: a
-- recovery to a moment and the promotion of a standby begin a new timeline, a dump
-- is loaded into new tables, another cluster has another identifier. What cannot
-- be told by this is a copy of the files put back and started as it was.
-- +goose StatementBegin
CREATE FUNCTION relance_lineage() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    cluster text := '';
BEGIN
    IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
        SELECT system_identifier INTO cluster FROM pg_control_system();
    END IF;
    RETURN concat_ws('/', cluster, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'messages'::regclass::oid);
END
$$;
-- +goose StatementEnd

-- The database that knows all of what the device has sent. In any other nothing is
-- decided about the device until `relance reconcile` has made up for what it
-- lacks. NULL for a device that has just come.
ALTER TABLE devices ADD COLUMN lineage text;
UPDATE devices SET lineage = relance_lineage();

-- +goose Down
ALTER TABLE devices DROP COLUMN lineage;
DROP FUNCTION relance_lineage();
DROP FUNCTION relance_message_id(uuid, uuid, text);
