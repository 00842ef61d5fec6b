-- +goose Up

-- The one clock that decides. It moves within a transaction, so a moment read
-- after a row was locked is never older than what the lock waited for. Tests
-- replace this function to shift time.
-- +goose StatementBegin
CREATE FUNCTION relance_now() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
-- +goose StatementEnd

----------------------------------------------------------------- who may do what

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    password_hash text NOT NULL,
    role          text NOT NULL CHECK (role IN ('admin', 'super_admin')),
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT relance_now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- Only hashes are stored: whoever reads the table cannot log in with it.
CREATE TABLE api_tokens (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL,
    token_hash   bytea NOT NULL UNIQUE,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT relance_now()
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT relance_now()
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE audit_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT relance_now(),
    user_id    uuid REFERENCES users ON DELETE SET NULL,
    action     text NOT NULL,
    subject_id uuid,
    details    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at ON audit_log (at DESC);

----------------------------------------------------------------- contacts

CREATE TABLE contacts (
    id           uuid PRIMARY KEY,
    phone        text NOT NULL UNIQUE CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    name         text NOT NULL DEFAULT '',
    attributes   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    opted_out_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT relance_now(),
    updated_at   timestamptz NOT NULL DEFAULT relance_now()
);
CREATE INDEX contacts_newest ON contacts (created_at DESC, id DESC);

CREATE TABLE categories (
    id            uuid PRIMARY KEY,
    name          text NOT NULL CHECK (btrim(name) <> ''),
    contact_count bigint NOT NULL DEFAULT 0 CHECK (contact_count >= 0),
    created_at    timestamptz NOT NULL DEFAULT relance_now()
);
CREATE UNIQUE INDEX categories_name ON categories (lower(name));

CREATE TABLE contact_categories (
    contact_id  uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
    category_id uuid NOT NULL REFERENCES categories ON DELETE CASCADE,
    PRIMARY KEY (contact_id, category_id)
);
CREATE INDEX contact_categories_category ON contact_categories (category_id, contact_id);

-- contact_count is exact without counting: each statement adds or takes what it
-- changed. Categories are locked in the order of their ids, so that two imports
-- into the same categories cannot deadlock; and for NO KEY UPDATE, because both
-- already hold the key share lock that the foreign key takes.
-- +goose StatementBegin
CREATE FUNCTION count_category_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM 1 FROM categories WHERE id IN (SELECT category_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
        UPDATE categories c SET contact_count = c.contact_count + d.n
        FROM (SELECT category_id, count(*) AS n FROM changed GROUP BY category_id) d
        WHERE c.id = d.category_id;
    ELSE
        PERFORM 1 FROM categories WHERE id IN (SELECT category_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
        UPDATE categories c SET contact_count = c.contact_count - d.n
        FROM (SELECT category_id, count(*) AS n FROM changed GROUP BY category_id) d
        WHERE c.id = d.category_id;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER contact_categories_added AFTER INSERT ON contact_categories
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_category_contacts();
CREATE TRIGGER contact_categories_removed AFTER DELETE ON contact_categories
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_category_contacts();

CREATE TABLE import_jobs (
    id          uuid PRIMARY KEY,
    state       text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    rows        bigint NOT NULL DEFAULT 0,
    imported    bigint NOT NULL DEFAULT 0,
    updated     bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    errors      jsonb NOT NULL DEFAULT '[]', -- [{"line":3,"reason":"…"}]
    error       text NOT NULL DEFAULT '',
    created_by  uuid REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT relance_now(),
    finished_at timestamptz
);

----------------------------------------------------------------- campaigns

-- One row per sending device. Its lock serialises every decision about the
-- device's quota; a set halted_at keeps everything from leaving.
CREATE TABLE devices (
    id                text PRIMARY KEY,
    halted_at         timestamptz,
    halt_reason       text NOT NULL DEFAULT '',
    -- pacing: when the next admitted Message 1 may leave, and when the last one was claimed
    next_message_1_at timestamptz,
    last_message_1_at timestamptz
);

CREATE TABLE campaigns (
    id                  uuid PRIMARY KEY,
    name                text NOT NULL CHECK (btrim(name) <> ''),
    status              text NOT NULL CHECK (status IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'cancelled')),
    status_reason       text NOT NULL DEFAULT '',
    device_id           text NOT NULL REFERENCES devices,
    message_1           text NOT NULL,
    message_2           text NOT NULL,
    message_1_media_url text NOT NULL DEFAULT '',
    message_2_media_url text NOT NULL DEFAULT '',
    -- the audience as asked for; recipients holds it as frozen at launch
    category_ids        uuid[] NOT NULL DEFAULT '{}',
    contact_ids         uuid[] NOT NULL DEFAULT '{}',
    expected_reply_rate double precision CHECK (expected_reply_rate BETWEEN 0 AND 1),
    scheduled_at        timestamptz,
    started_at          timestamptz,
    deadline_at         timestamptz,
    completed_at        timestamptz,
    -- an admin's decision that the workflow has not been told of yet
    control_due_at      timestamptz,
    -- final totals, stored when the campaign ends (Property 12)
    total_contacts      bigint NOT NULL DEFAULT 0,
    sent_count          bigint NOT NULL DEFAULT 0,
    delivered_count     bigint NOT NULL DEFAULT 0,
    read_count          bigint NOT NULL DEFAULT 0,
    failed_count        bigint NOT NULL DEFAULT 0,
    interaction_count   bigint NOT NULL DEFAULT 0,
    created_by          uuid REFERENCES users ON DELETE SET NULL,
    created_at          timestamptz NOT NULL DEFAULT relance_now(),
    updated_at          timestamptz NOT NULL DEFAULT relance_now(),
    CHECK (status NOT IN ('running', 'paused', 'completed') OR (started_at IS NOT NULL AND deadline_at IS NOT NULL)),
    CHECK ((status IN ('completed', 'cancelled')) = (completed_at IS NOT NULL)),
    CHECK (status <> 'scheduled' OR scheduled_at IS NOT NULL)
);
CREATE INDEX campaigns_newest ON campaigns (created_at DESC, id DESC);
CREATE INDEX campaigns_control_due ON campaigns (control_due_at) WHERE control_due_at IS NOT NULL;
CREATE INDEX campaigns_alive ON campaigns (device_id, status) WHERE status IN ('scheduled', 'running', 'paused');

-- The audience, frozen at launch. contact_id is no foreign key on purpose: what
-- happened stays on record when a contact is deleted.
CREATE TABLE recipients (
    campaign_id       uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    contact_id        uuid NOT NULL,
    device_id         text NOT NULL REFERENCES devices,
    position          bigint NOT NULL, -- the order of sending
    phone             text NOT NULL,
    variables         jsonb NOT NULL DEFAULT '{}',
    state             text NOT NULL DEFAULT 'pending' CHECK (state IN (
                          'pending', 'admitted', 'message_1_sent', 'replied', 'message_2_sent',
                          'no_interaction', 'late_interaction', 'failed', 'not_sent', 'stopped')),
    state_reason      text NOT NULL DEFAULT '',
    wave              integer, -- which wave workflow runs this contact
    not_before        timestamptz, -- the slot that pacing gave to Message 1
    message_1_sent_at timestamptz,
    window_ends_at    timestamptz,
    replied_at        timestamptz, -- the first reply inside the window
    woken_at          timestamptz, -- when the dispatcher last repeated a wake-up
    finished_at       timestamptz,
    PRIMARY KEY (campaign_id, contact_id),
    CHECK ((state IN ('message_2_sent', 'no_interaction', 'late_interaction', 'failed', 'not_sent', 'stopped'))
           = (finished_at IS NOT NULL)),
    CHECK ((message_1_sent_at IS NULL) = (window_ends_at IS NULL)),
    CHECK (state NOT IN ('message_1_sent', 'replied', 'message_2_sent', 'no_interaction', 'late_interaction', 'stopped')
           OR message_1_sent_at IS NOT NULL),
    CHECK (state NOT IN ('pending', 'admitted', 'not_sent') OR message_1_sent_at IS NULL),
    CHECK (state NOT IN ('replied', 'message_2_sent') OR replied_at IS NOT NULL),
    CHECK ((state = 'pending') = (wave IS NULL) OR state = 'not_sent')
);
-- Who is next to be admitted.
CREATE INDEX recipients_pending ON recipients (campaign_id, position) WHERE state = 'pending';
-- What reserves quota on a device: a handful of rows, whatever the table's size.
CREATE INDEX recipients_reserving ON recipients (device_id, state, window_ends_at)
    WHERE state IN ('admitted', 'message_1_sent', 'replied');
CREATE INDEX recipients_position ON recipients (campaign_id, position);
CREATE INDEX recipients_wave ON recipients (campaign_id, wave);
CREATE INDEX recipients_state ON recipients (campaign_id, state, position);
-- Whose reply is this?
CREATE INDEX recipients_phone ON recipients (phone, message_1_sent_at DESC);

CREATE TABLE messages (
    id           uuid PRIMARY KEY,
    campaign_id  uuid NOT NULL,
    contact_id   uuid NOT NULL,
    device_id    text NOT NULL REFERENCES devices,
    message_type text NOT NULL CHECK (message_type IN ('message_1', 'message_2')),
    status       text NOT NULL DEFAULT 'pending' CHECK (status IN (
                     'pending', 'sending', 'sent', 'delivered', 'read', 'failed', 'no_interaction', 'unknown')),
    attempts     integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    claimed_at   timestamptz, -- the newest claim
    absent_since timestamptz, -- first look-up after that claim that found nothing
    counted_at   timestamptz, -- by then it had left: what the quota counts by
    sent_at      timestamptz,
    delivered_at timestamptz,
    read_at      timestamptz,
    failed_at    timestamptz,
    provider_id  text,
    wa_id        text,
    error        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT relance_now(),
    FOREIGN KEY (campaign_id, contact_id) REFERENCES recipients ON DELETE CASCADE,
    -- A contact gets each message of a campaign at most once (Properties 4 and 10).
    UNIQUE (campaign_id, contact_id, message_type),
    CHECK (status NOT IN ('sent', 'delivered', 'read', 'no_interaction') OR sent_at IS NOT NULL),
    CHECK (status <> 'sending' OR claimed_at IS NOT NULL),
    CHECK (sent_at IS NULL OR counted_at IS NOT NULL),
    CHECK (status <> 'failed' OR failed_at IS NOT NULL),
    CHECK (message_type = 'message_1' OR status <> 'no_interaction')
);
-- The quota is computed from these two, never from a counter (Property 5).
CREATE INDEX messages_counted ON messages (device_id, counted_at) WHERE counted_at IS NOT NULL;
CREATE INDEX messages_in_flight ON messages (device_id) WHERE status = 'sending';
CREATE INDEX messages_unknown ON messages (claimed_at) WHERE status = 'unknown';
CREATE INDEX messages_provider_id ON messages (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX messages_wa_id ON messages (wa_id) WHERE wa_id IS NOT NULL;
CREATE INDEX messages_newest ON messages (campaign_id, created_at DESC, id DESC);

-- Messages sent outside any campaign to try a text; they count against the quota.
CREATE TABLE test_sends (
    id         uuid PRIMARY KEY,
    device_id  text NOT NULL REFERENCES devices,
    counted_at timestamptz NOT NULL, -- by then it had left
    created_by uuid REFERENCES users ON DELETE SET NULL,
    error      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT relance_now()
);
CREATE INDEX test_sends_counted ON test_sends (device_id, counted_at);

-- Every webhook as it came in, before anything else is done with it.
CREATE TABLE webhook_events (
    id           uuid PRIMARY KEY,
    dedupe_key   text NOT NULL UNIQUE,
    raw          bytea NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT relance_now(),
    processed_at timestamptz,
    outcome      text NOT NULL DEFAULT '',
    error        text NOT NULL DEFAULT ''
);
CREATE INDEX webhook_events_unprocessed ON webhook_events (received_at) WHERE processed_at IS NULL;

CREATE TABLE interactions (
    id               uuid PRIMARY KEY,
    campaign_id      uuid NOT NULL,
    contact_id       uuid NOT NULL,
    interaction_type text NOT NULL CHECK (interaction_type IN ('text', 'emoji', 'voice', 'audio', 'image', 'video', 'document')),
    received_at      timestamptz NOT NULL,
    within_24h       boolean NOT NULL,
    event_key        text NOT NULL UNIQUE,
    FOREIGN KEY (campaign_id, contact_id) REFERENCES recipients ON DELETE CASCADE
);
CREATE INDEX interactions_recipient ON interactions (campaign_id, contact_id, received_at);

CREATE TABLE daily_stats (
    day         date NOT NULL,
    device_id   text NOT NULL REFERENCES devices,
    message_1   bigint NOT NULL DEFAULT 0,
    message_2   bigint NOT NULL DEFAULT 0,
    delivered   bigint NOT NULL DEFAULT 0,
    read        bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    interactions bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, device_id)
);

-- +goose Down
DROP TABLE daily_stats, interactions, webhook_events, test_sends, messages, recipients, campaigns, devices,
    import_jobs, contact_categories, categories, contacts, audit_log, sessions, api_tokens, users;
DROP FUNCTION count_category_contacts();
DROP FUNCTION relance_now();
