/** What is in the schema `rocket` now. A newer one is made in its place, and begins a new journal. */
export const journalVersion = 5;

/** Room is given back by small and frequent vacuums: rows of the outbox live for some milliseconds. */
const shortLived = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000";

/** The answers to writes with an `Idempotency-Key`. */
export const answersSql = `CREATE TABLE IF NOT EXISTS rocket.answers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL UNIQUE,
  digest text,
  made double precision NOT NULL,
  status int,
  fields text,
  body text,
  event text
)`;

/**
 * The journal's tables.
 *
 * Positions are even numbers, each one two more than the one before: a change of a key is two changes to those who read.
 */
export const tablesSql: string = `
CREATE SCHEMA rocket;

CREATE TABLE rocket.outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  relid oid NOT NULL,
  kind "char" NOT NULL,
  via int,
  depth int NOT NULL DEFAULT 0,
  old text,
  new text
) WITH (${shortLived});
CREATE INDEX outbox_xid ON rocket.outbox (xid, seq);
CREATE INDEX outbox_schema ON rocket.outbox (kind) WHERE kind = 's';

CREATE TABLE rocket.journal (
  position bigint PRIMARY KEY,
  chk int NOT NULL DEFAULT (random() * 2147483646)::int,
  xid xid8,
  shape int NOT NULL,
  kind "char" NOT NULL,
  old text,
  new text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  total bigint NOT NULL
) WITH (${shortLived});

CREATE TABLE rocket.shape (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  relid oid NOT NULL,
  root oid NOT NULL,
  print text,
  description jsonb NOT NULL,
  completion text,
  retired bigint
);
CREATE UNIQUE INDEX shape_relid ON rocket.shape (relid) WHERE retired IS NULL;

CREATE TABLE rocket.watched (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  relid regclass NOT NULL UNIQUE,
  has_rows boolean NOT NULL
);

CREATE TABLE rocket.state (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  version int NOT NULL,
  segment text NOT NULL,
  system text,
  snapshot pg_snapshot,
  position bigint NOT NULL DEFAULT 0,
  chk int NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  first bigint NOT NULL DEFAULT 0,
  schema_print text,
  schema_changes bigint NOT NULL DEFAULT 0
);

${answersSql};

COMMENT ON SCHEMA rocket IS 'Rocket''s journal of changes. "rocket serve --detach" takes it out again.';
COMMENT ON TABLE rocket.outbox IS 'Changes as triggers write them, in the writers'' own transactions, until they are given a position.';
COMMENT ON TABLE rocket.journal IS 'Committed changes in their order: what subscribers are told.';
COMMENT ON COLUMN rocket.outbox.via IS 'The watched table whose trigger wrote it.';
COMMENT ON COLUMN rocket.watched.has_rows IS 'Whether its rows are told, or only that something was written.';
COMMENT ON TABLE rocket.answers IS 'What writes with an Idempotency-Key were answered.';
COMMENT ON COLUMN rocket.state.snapshot IS 'All that is visible in it is in the journal; of the others, those that gave their own rows a position.';
COMMENT ON COLUMN rocket.state.total IS 'How many bytes of images the journal has ever held.';
COMMENT ON COLUMN rocket.state.first IS 'The last position that was trimmed.';
`;
