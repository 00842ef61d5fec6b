-- +goose Up

-- Statistics without counting. Every statement that changes what is counted adds
-- the differences here, in its own transaction: rows are only added, so nobody
-- waits for anybody. A number is the sum of what has been folded (campaign_stats)
-- and of what has not yet: exact at any moment, in any snapshot.
CREATE TABLE stat_changes (
    campaign_id uuid   NOT NULL,
    device_id   text   NOT NULL,
    day         date, -- in UTC; NULL for what no day has, such as states
    what        text   NOT NULL, -- 'state.pending', 'message_1.sent', 'replied', 'interactions'…
    n           bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX stat_changes_campaign ON stat_changes (campaign_id);

CREATE TABLE campaign_stats (
    campaign_id uuid   NOT NULL,
    what        text   NOT NULL,
    n           bigint NOT NULL,
    PRIMARY KEY (campaign_id, what)
) WITH (fillfactor = 70); -- rows change all the time; room on the page keeps them there

-- Contacts who replied in time, by the day of their Message 1.
ALTER TABLE daily_stats ADD COLUMN replied bigint NOT NULL DEFAULT 0;

-- What one message counts as. Undelivered ones count as sent and as failed.
-- +goose StatementBegin
CREATE FUNCTION message_counts(status text, counted_at timestamptz, sent_at timestamptz, delivered_at timestamptz,
                               read_at timestamptz, failed_at timestamptz)
    RETURNS TABLE (what text, day date) LANGUAGE sql IMMUTABLE AS $$
    SELECT v.what, (v.at AT TIME ZONE 'UTC')::date
    FROM (VALUES ('sent', sent_at IS NOT NULL, counted_at),
                 ('delivered', delivered_at IS NOT NULL, counted_at),
                 ('read', read_at IS NOT NULL, counted_at),
                 ('failed', status = 'failed', failed_at),
                 ('unknown', status = 'unknown', NULL)) AS v (what, holds, at)
    WHERE v.holds
$$;
-- +goose StatementEnd

-- What one recipient counts as.
-- +goose StatementBegin
CREATE FUNCTION recipient_counts(state text, replied_at timestamptz, message_1_sent_at timestamptz)
    RETURNS TABLE (what text, day date) LANGUAGE sql IMMUTABLE AS $$
    SELECT 'state.' || state, NULL::date
    UNION ALL
    SELECT 'replied', (message_1_sent_at AT TIME ZONE 'UTC')::date WHERE replied_at IS NOT NULL
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
        SELECT m.campaign_id, m.device_id, c.day, m.message_type || '.' || c.what, count(*)
        FROM came m, message_counts(m.status, m.counted_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at) c
        GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
        SELECT m.campaign_id, m.device_id, c.day, m.message_type || '.' || c.what, sum(m.sign)
        FROM (SELECT 1 AS sign, * FROM came UNION ALL SELECT -1, * FROM gone) m,
             message_counts(m.status, m.counted_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at) c
        GROUP BY 1, 2, 3, 4 HAVING sum(m.sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_recipients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
        SELECT r.campaign_id, r.device_id, c.day, c.what, count(*)
        FROM came r, recipient_counts(r.state, r.replied_at, r.message_1_sent_at) c
        GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
        SELECT r.campaign_id, r.device_id, c.day, c.what, sum(r.sign)
        FROM (SELECT 1 AS sign, * FROM came UNION ALL SELECT -1, * FROM gone) r,
             recipient_counts(r.state, r.replied_at, r.message_1_sent_at) c
        GROUP BY 1, 2, 3, 4 HAVING sum(r.sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Interactions are added and never changed.
-- +goose StatementBegin
CREATE FUNCTION count_interactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
    SELECT i.campaign_id, c.device_id, (i.received_at AT TIME ZONE 'UTC')::date, 'interactions', count(*)
    FROM came i JOIN campaigns c ON c.id = i.campaign_id
    GROUP BY 1, 2, 3;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- What there is already.
INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
SELECT m.campaign_id, m.device_id, c.day, m.message_type || '.' || c.what, count(*)
FROM messages m, message_counts(m.status, m.counted_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at) c
GROUP BY 1, 2, 3, 4;
INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
SELECT r.campaign_id, r.device_id, c.day, c.what, count(*)
FROM recipients r, recipient_counts(r.state, r.replied_at, r.message_1_sent_at) c
GROUP BY 1, 2, 3, 4;
INSERT INTO stat_changes (campaign_id, device_id, day, what, n)
SELECT i.campaign_id, c.device_id, (i.received_at AT TIME ZONE 'UTC')::date, 'interactions', count(*)
FROM interactions i JOIN campaigns c ON c.id = i.campaign_id
GROUP BY 1, 2, 3;

-- Recipients and messages go only with their campaign, and only a draft, which
-- has none, can be deleted: so nothing counts backwards on DELETE.
CREATE TRIGGER messages_added AFTER INSERT ON messages
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER messages_changed AFTER UPDATE ON messages
    REFERENCING OLD TABLE AS gone NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER recipients_added AFTER INSERT ON recipients
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_recipients();
CREATE TRIGGER recipients_changed AFTER UPDATE ON recipients
    REFERENCING OLD TABLE AS gone NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_recipients();
CREATE TRIGGER interactions_added AFTER INSERT ON interactions
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_interactions();

-- Lists of messages, over all campaigns and by status.
CREATE INDEX messages_all_newest ON messages (created_at DESC, id DESC);
CREATE INDEX messages_status_newest ON messages (status, created_at DESC, id DESC);

-- Search by any part of a name or a number, among a million.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX contacts_name_part ON contacts USING gin (name gin_trgm_ops);
CREATE INDEX contacts_phone_part ON contacts USING gin (phone gin_trgm_ops);
-- Who opted out is few among many.
CREATE INDEX contacts_opted_out_newest ON contacts (created_at DESC, id DESC) WHERE opted_out_at IS NOT NULL;

-- +goose Down
DROP INDEX contacts_opted_out_newest, contacts_phone_part, contacts_name_part, messages_status_newest, messages_all_newest;
DROP EXTENSION pg_trgm;
DROP TRIGGER interactions_added ON interactions;
DROP TRIGGER recipients_changed ON recipients;
DROP TRIGGER recipients_added ON recipients;
DROP TRIGGER messages_changed ON messages;
DROP TRIGGER messages_added ON messages;
DROP FUNCTION count_interactions(), count_recipients(), count_messages();
DROP FUNCTION recipient_counts(text, timestamptz, timestamptz);
DROP FUNCTION message_counts(text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz);
ALTER TABLE daily_stats DROP COLUMN replied;
DROP TABLE campaign_stats, stat_changes;
