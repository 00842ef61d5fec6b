-- +goose Up

-- An import is received first and merged into the contacts afterwards, batch by
-- batch. How far it came stands in the same transaction as what it did, so that
-- any process may go on with it after a crash, and nothing is done twice.
ALTER TABLE import_jobs
    ADD COLUMN skipped      bigint NOT NULL DEFAULT 0,
    ADD COLUMN on_duplicate text NOT NULL DEFAULT 'update' CHECK (on_duplicate IN ('update', 'skip')),
    ADD COLUMN category_id  uuid, -- no foreign key: a category may be deleted meanwhile, and the import goes on without it
    ADD COLUMN columns      jsonb NOT NULL DEFAULT '[]', -- the file's first line, a list of texts
    ADD COLUMN batches      integer NOT NULL DEFAULT 0,  -- received
    ADD COLUMN merged       integer NOT NULL DEFAULT 0 CHECK (merged <= batches),
    ADD COLUMN received_at  timestamptz, -- when the file was complete
    ADD COLUMN touched_at   timestamptz NOT NULL DEFAULT relance_now(); -- a sign of life of who works on it
UPDATE import_jobs SET received_at = created_at;
CREATE INDEX import_jobs_newest ON import_jobs (created_at DESC, id DESC);
CREATE INDEX import_jobs_running ON import_jobs (touched_at) WHERE state = 'running';

-- What was received and is not merged yet: some thousand contacts in each row, so
-- that taking one away costs as little as writing it.
CREATE TABLE import_batches (
    import_id  uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    number     integer NOT NULL, -- from 0, in the order of the file
    rows       bigint NOT NULL,  -- of the file; more than contacts where numbers repeat
    ids        uuid[] NOT NULL,
    phones     text[] NOT NULL,  -- each once
    names      text[] NOT NULL,
    attributes text[] NOT NULL,  -- JSON objects
    PRIMARY KEY (import_id, number)
);

-- Every row that could not be used.
CREATE TABLE import_rejections (
    import_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    line      bigint NOT NULL,
    reason    text NOT NULL,
    cells     jsonb NOT NULL, -- a list of texts, as they stood in the file
    PRIMARY KEY (import_id, line)
);
INSERT INTO import_rejections (import_id, line, reason, cells)
SELECT j.id, r.line, r.reason, '[]' FROM import_jobs j, jsonb_to_recordset(j.errors) AS r (line bigint, reason text)
ON CONFLICT DO NOTHING;
ALTER TABLE import_jobs DROP COLUMN errors;

-- Who asked to be left alone is looked up once for all the rows that a statement
-- inserts: row by row it was a third of what a large insert took. At the end of
-- the statement more opt-outs are to be seen than at its beginning.
-- +goose StatementBegin
CREATE FUNCTION respect_opt_outs() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RETURN NULL;
END
$$;
-- +goose StatementEnd
DROP TRIGGER contacts_respect_opt_out ON contacts;
CREATE TRIGGER contacts_respect_opt_out BEFORE UPDATE OF phone ON contacts
    FOR EACH ROW EXECUTE FUNCTION respect_opt_out();
CREATE TRIGGER contacts_respect_opt_outs AFTER INSERT ON contacts
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION respect_opt_outs();

-- +goose Down
DROP TRIGGER contacts_respect_opt_outs ON contacts;
DROP FUNCTION respect_opt_outs();
DROP TRIGGER contacts_respect_opt_out ON contacts;
CREATE TRIGGER contacts_respect_opt_out BEFORE INSERT OR UPDATE OF phone ON contacts
    FOR EACH ROW EXECUTE FUNCTION respect_opt_out();
ALTER TABLE import_jobs ADD COLUMN errors jsonb NOT NULL DEFAULT '[]';
UPDATE import_jobs j SET errors = (
    SELECT coalesce(jsonb_agg(jsonb_build_object('line', r.line, 'reason', r.reason) ORDER BY r.line), '[]')
    FROM (SELECT line, reason FROM import_rejections WHERE import_id = j.id ORDER BY line LIMIT 1000) r);
DROP TABLE import_rejections, import_batches;
DROP INDEX import_jobs_running, import_jobs_newest;
ALTER TABLE import_jobs DROP COLUMN skipped, DROP COLUMN on_duplicate, DROP COLUMN category_id, DROP COLUMN columns,
    DROP COLUMN batches, DROP COLUMN merged, DROP COLUMN received_at, DROP COLUMN touched_at;
