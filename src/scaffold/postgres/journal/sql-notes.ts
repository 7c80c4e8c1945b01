import { valueSettings } from "../value-settings.ts";

/** Nothing that the caller's session has may decide what a name in a function means. */
export const fixedPath = "SET search_path = pg_catalog, pg_temp";
/** For functions that are called again and again: planning would take longer than what is planned. */
export const fixedPlans: string = `${fixedPath} SET plan_cache_mode = force_generic_plan`;

/** The settings that decide how values turn into text. */
export const fixedValues: string = Object.entries(valueSettings)
  .map(([name, value]) => `SET ${name} = '${value}'`)
  .join(" ");

/**
 * The triggers' functions. They write in the writer's own transaction, with the rights of whoever made the journal: a writer
 * needs none. Each names a row by the text that PostgreSQL itself makes of it, so they fit any table. `touch` says that something
 * was written, and nothing of what: once per transaction.
 */
export const notesSql: string = `
CREATE FUNCTION rocket.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${fixedPath} ${fixedValues} AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO rocket.outbox (relid, kind, via, depth, old, new)
    VALUES (TG_RELID, 'u', TG_ARGV[0]::int, pg_trigger_depth(), OLD::text, NEW::text);
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO rocket.outbox (relid, kind, via, depth, new)
    VALUES (TG_RELID, 'c', TG_ARGV[0]::int, pg_trigger_depth(), NEW::text);
  ELSE
    INSERT INTO rocket.outbox (relid, kind, via, depth, old)
    VALUES (TG_RELID, 'd', TG_ARGV[0]::int, pg_trigger_depth(), OLD::text);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION rocket.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${fixedPath} AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM rocket.outbox WHERE xid = pg_current_xact_id() AND relid = TG_RELID) THEN
    INSERT INTO rocket.outbox (relid, kind) VALUES (TG_RELID, 'r');
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION rocket.note_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${fixedPath} AS $$
BEGIN
  INSERT INTO rocket.outbox (relid, kind) VALUES (TG_RELID, 'r');
  RETURN NULL;
END $$;

CREATE FUNCTION rocket.note_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER ${fixedPath} AS $$
BEGIN
  IF tg_tag LIKE 'DROP%'
    OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp')
  THEN
    INSERT INTO rocket.outbox (relid, kind) VALUES (0, 's');
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Rocket could not note this change of the schema: %', SQLERRM;
END $$;
`;

/** The statements whose effect the journal must see at once. */
const schemaTags = [
  ...["ALTER TABLE", "CREATE TABLE", "CREATE TABLE AS", "SELECT INTO", "DROP TABLE"],
  ...["ALTER TYPE", "DROP TYPE", "ALTER DOMAIN", "DROP DOMAIN"],
  ...["ALTER SCHEMA", "CREATE SCHEMA", "DROP SCHEMA", "DROP EXTENSION", "DROP OWNED"],
  ...["CREATE INDEX", "ALTER INDEX", "DROP INDEX", "CREATE TRIGGER", "ALTER TRIGGER", "DROP TRIGGER"],
  ...["CREATE VIEW", "ALTER VIEW", "DROP VIEW", "IMPORT FOREIGN SCHEMA", "GRANT", "REVOKE"],
  ...["CREATE RULE", "ALTER RULE", "DROP RULE", "CREATE FUNCTION", "ALTER FUNCTION", "DROP FUNCTION"],
  ...["ALTER ROUTINE", "DROP ROUTINE"],
  ...["CREATE POLICY", "ALTER POLICY", "DROP POLICY"],
];

/** For a role that may: most often a superuser only. */
export const eventTriggerSql: string = `
CREATE EVENT TRIGGER rocket_schema ON ddl_command_end
  WHEN TAG IN (${schemaTags.map((tag) => `'${tag}'`).join(", ")})
  EXECUTE FUNCTION rocket.note_ddl();
ALTER EVENT TRIGGER rocket_schema ENABLE ALWAYS;
`;
