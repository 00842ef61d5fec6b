-- +goose Up

-- When the dispatcher may next take up a webhook that is not processed: shortly
-- after it came in, then ever later, so that what cannot be applied yet, or
-- never, keeps nothing else waiting.
ALTER TABLE webhook_events
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT relance_now(),
    ADD COLUMN tries integer NOT NULL DEFAULT 0;
DROP INDEX webhook_events_unprocessed;
CREATE INDEX webhook_events_unprocessed ON webhook_events (due_at) WHERE processed_at IS NULL;

-- Who asked to be left alone, by phone number: the wish outlives the contact,
-- and holds before there is one.
CREATE TABLE opt_outs (
    phone        text PRIMARY KEY CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    opted_out_at timestamptz NOT NULL
);
INSERT INTO opt_outs (phone, opted_out_at) SELECT phone, opted_out_at FROM contacts WHERE opted_out_at IS NOT NULL;

-- Whichever way a contact is written, by hand or by import.
-- +goose StatementBegin
CREATE FUNCTION respect_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opted_out_at := coalesce(NEW.opted_out_at, (SELECT o.opted_out_at FROM opt_outs o WHERE o.phone = NEW.phone));
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER contacts_respect_opt_out BEFORE INSERT OR UPDATE OF phone ON contacts
    FOR EACH ROW EXECUTE FUNCTION respect_opt_out();

-- The key under which a webhook is sealed while it is parked in Temporal, whose
-- histories hold no phone number and no text.
CREATE TABLE sealing_keys (
    id  integer PRIMARY KEY CHECK (id = 1),
    key bytea NOT NULL CHECK (length(key) = 32)
);

-- Whose Message 1 is said to be undelivered may still reply, so an answer is kept
-- room for.
CREATE INDEX recipients_undelivered ON recipients (device_id, window_ends_at) WHERE state = 'failed' AND state_reason = 'undelivered';

-- +goose Down
DROP INDEX recipients_undelivered;
DROP TABLE sealing_keys;
DROP TRIGGER contacts_respect_opt_out ON contacts;
DROP FUNCTION respect_opt_out();
DROP TABLE opt_outs;
DROP INDEX webhook_events_unprocessed;
CREATE INDEX webhook_events_unprocessed ON webhook_events (received_at) WHERE processed_at IS NULL;
ALTER TABLE webhook_events DROP COLUMN due_at, DROP COLUMN tries;
