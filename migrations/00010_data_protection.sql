-- +goose Up

-- In the order in which transactions of the running version come to them, so that
-- neither waits for the other in a circle. All that follows takes milliseconds.
LOCK TABLE opt_outs, campaigns, messages IN ACCESS EXCLUSIVE MODE;

-- What keeps phone numbers of the erased from being told: HMAC-SHA256 under a key
-- of this database, by means that every PostgreSQL has. Only the two pads are
-- stored, which are all that HMAC needs of its key (RFC 2104).
CREATE TABLE hashing_keys (
    id        integer PRIMARY KEY CHECK (id = 1),
    inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64)
);
-- +goose StatementBegin
DO $$
DECLARE
    -- 244 random bits from the generator that PostgreSQL has for keys
    key   bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) || decode(repeat('00', 32), 'hex');
    inner_pad bytea := key;
    outer_pad bytea := key;
BEGIN
    FOR i IN 0..63 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54); -- 0x36
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92); -- 0x5c
    END LOOP;
    INSERT INTO hashing_keys (id, inner_pad, outer_pad) VALUES (1, inner_pad, outer_pad);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION number_hash(phone text) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT sha256(outer_pad || sha256(inner_pad || convert_to(phone, 'UTF8'))) FROM hashing_keys WHERE id = 1);
END
$$;
-- +goose StatementEnd

-- Numbers of people who were erased. A wish to be left alone outlives them, and
-- nothing that the provider still tells about them is kept. On purpose nothing
-- here says when, or whose number it was in any other table.
CREATE TABLE erased_numbers (
    hash         bytea PRIMARY KEY, -- number_hash
    opted_out_at timestamptz
);

-- Erasures by the id of the contact, which nobody has any more. What was stored
-- where no index leads is looked through a while later; until then the numbers
-- that are looked for stay here.
CREATE TABLE erasures (
    contact_id   uuid PRIMARY KEY,
    erased_at    timestamptz NOT NULL,
    due_at       timestamptz NOT NULL, -- when somebody may next look
    completed_at timestamptz,
    numbers      text[],
    CHECK ((completed_at IS NULL) = (numbers IS NOT NULL))
);
CREATE INDEX erasures_due ON erasures (due_at) WHERE completed_at IS NULL;

-- A message of somebody who was erased. What the provider says about it moves it on;
-- its own words do not stay, whatever wrote them. AFTER, because a trigger that comes
-- before locks each row that is updated once more, and this table is updated most.
ALTER TABLE messages ADD COLUMN erased boolean NOT NULL DEFAULT false;
-- +goose StatementBegin
CREATE FUNCTION stay_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE messages SET error = '', wa_id = CASE WHEN wa_id NOT LIKE '%@%' THEN wa_id END WHERE id = NEW.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- An id of WhatsApp's is a number of its own. Were one made of an address, it would hold the phone's.
CREATE TRIGGER messages_stay_erased AFTER UPDATE ON messages
    FOR EACH ROW WHEN (NEW.erased AND (NEW.error <> '' OR NEW.wa_id LIKE '%@%')) EXECUTE FUNCTION stay_erased();

-- Is what is told about somebody who was erased? Not if anything has been stored
-- about the number since: then the person is back. phones are all spellings of it.
-- In PL/pgSQL because that keeps its plans: this is asked for every reply.
-- +goose StatementBegin
CREATE FUNCTION about_erased(phones text[], message uuid, wa_message text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT FROM messages m WHERE m.id = message AND m.erased) THEN
        RETURN true;
    END IF;
    IF wa_message <> '' AND EXISTS (SELECT FROM messages m WHERE m.wa_id = wa_message AND m.erased) THEN
        RETURN true;
    END IF;
    IF NOT EXISTS (SELECT FROM erased_numbers) THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM erased_numbers e WHERE e.hash IN (SELECT number_hash(p) FROM unnest(phones) p))
        AND NOT EXISTS (SELECT FROM contacts k WHERE k.phone = ANY (phones))
        AND NOT EXISTS (SELECT FROM recipients r WHERE r.phone = ANY (phones));
END
$$;
-- +goose StatementEnd

-- Whoever of the erased asks to be left alone is remembered as they are. The row's
-- lock is where that meets somebody who just adds the number to the contacts.
-- +goose StatementBegin
CREATE FUNCTION keep_opt_out_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE erased_numbers SET opted_out_at = coalesce(opted_out_at, NEW.opted_out_at) WHERE hash = number_hash(NEW.phone);
    IF FOUND AND about_erased(ARRAY[NEW.phone], NULL, NULL) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER opt_outs_of_erased BEFORE INSERT ON opt_outs
    FOR EACH ROW EXECUTE FUNCTION keep_opt_out_of_erased();

-- As before, and now of the erased too: a contact that comes back with a number
-- that opted out is opted out.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION respect_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opted_out_at := coalesce(NEW.opted_out_at, (SELECT o.opted_out_at FROM opt_outs o WHERE o.phone = NEW.phone));
    IF NEW.opted_out_at IS NULL AND EXISTS (SELECT FROM erased_numbers) THEN
        SELECT e.opted_out_at INTO NEW.opted_out_at FROM erased_numbers e WHERE e.hash = number_hash(NEW.phone) FOR SHARE;
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unwilling record;
BEGIN
    -- OFFSET 0 keeps it a look-up by key for each row: the plan is kept for
    -- statements of one row and of many.
    FOR unwilling IN
        SELECT a.id, o.opted_out_at
        FROM added a, LATERAL (SELECT opted_out_at FROM opt_outs WHERE phone = a.phone OFFSET 0) o
        WHERE a.opted_out_at IS NULL
    LOOP
        UPDATE contacts SET opted_out_at = unwilling.opted_out_at WHERE id = unwilling.id;
    END LOOP;
    IF EXISTS (SELECT FROM erased_numbers) THEN -- hashing is for those who need it
        FOR unwilling IN
            SELECT a.id, e.opted_out_at
            FROM added a, LATERAL (SELECT opted_out_at FROM erased_numbers WHERE hash = number_hash(a.phone) OFFSET 0 FOR SHARE) e
            WHERE e.opted_out_at IS NOT NULL
        LOOP
            UPDATE contacts SET opted_out_at = unwilling.opted_out_at WHERE id = unwilling.id AND opted_out_at IS NULL;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Since when a campaign's texts, and what filled them in, are gone (RETENTION_TEXTS).
ALTER TABLE campaigns ADD COLUMN texts_removed_at timestamptz;

-- +goose Down
ALTER TABLE campaigns DROP COLUMN texts_removed_at;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unwilling record;
BEGIN
    FOR unwilling IN
        SELECT a.id, o.opted_out_at
        FROM added a, LATERAL (SELECT opted_out_at FROM opt_outs WHERE phone = a.phone OFFSET 0) o
        WHERE a.opted_out_at IS NULL
    LOOP
        UPDATE contacts SET opted_out_at = unwilling.opted_out_at WHERE id = unwilling.id;
    END LOOP;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION respect_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opted_out_at := coalesce(NEW.opted_out_at, (SELECT o.opted_out_at FROM opt_outs o WHERE o.phone = NEW.phone));
    RETURN NEW;
END
$$;
-- +goose StatementEnd
DROP TRIGGER opt_outs_of_erased ON opt_outs;
DROP FUNCTION keep_opt_out_of_erased();
DROP FUNCTION about_erased(text[], uuid, text);
DROP TRIGGER messages_stay_erased ON messages;
DROP FUNCTION stay_erased();
ALTER TABLE messages DROP COLUMN erased;
DROP TABLE erasures, erased_numbers;
DROP FUNCTION number_hash(text);
DROP TABLE hashing_keys;
