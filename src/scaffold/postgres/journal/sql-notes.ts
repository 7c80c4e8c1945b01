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
DECLARE is_news boolean;
BEGIN
  -- Temporary tables, and what is made of them, are nobody else's.
  IF tg_event = 'sql_drop' THEN
    is_news := EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d
      WHERE NOT d.is_temporary AND coalesce(d.schema_name, d.address_names[1]) IS DISTINCT FROM 'pg_temp');
  ELSE
    is_news := tg_tag = 'DROP OWNED' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c
      LEFT JOIN LATERAL pg_identify_object_as_address(c.classid, c.objid, c.objsubid) a ON true
      WHERE coalesce(c.schema_name, a.object_names[1]) IS DISTINCT FROM 'pg_temp');
  END IF;
  IF is_news THEN
    INSERT INTO rocket.outbox (relid, kind) VALUES (0, 's');
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Rocket could not note this change of the schema: %', SQLERRM;
END $$;
`;

/** The statements whose effect the journal must see at once. */
const schemaTags = [
  ...["ALTER TABLE", "CREATE TABLE", "CREATE TABLE AS", "SELECT INTO", "ALTER TYPE", "ALTER DOMAIN"],
  // It takes rights away, too.
  ...["ALTER SCHEMA", "CREATE SCHEMA", "DROP OWNED"],
  ...["CREATE INDEX", "ALTER INDEX", "CREATE TRIGGER", "ALTER TRIGGER"],
  ...["CREATE VIEW", "ALTER VIEW", "IMPORT FOREIGN SCHEMA", "GRANT", "REVOKE"],
  ...[
    "CREATE MATERIALIZED VIEW",
    "ALTER MATERIALIZED VIEW",
    "CREATE RULE",
    "ALTER RULE",
    "CREATE POLICY",
    "ALTER POLICY",
  ],
  ...["CREATE FUNCTION", "ALTER FUNCTION", "CREATE PROCEDURE", "ALTER PROCEDURE", "ALTER ROUTINE"],
];

/** Those that tell what is gone: only an event of their own knows. */
const dropTags = [
  ...[
    "TABLE",
    "TYPE",
    "DOMAIN",
    "SCHEMA",
    "EXTENSION",
    "INDEX",
    "TRIGGER",
    "VIEW",
    "MATERIALIZED VIEW",
    "RULE",
    "POLICY",
  ],
  ...["FUNCTION", "PROCEDURE", "ROUTINE"],
].map((what) => `DROP ${what}`);

function eventTrigger(name: string, event: string, tags: readonly string[]): string {
  return `CREATE EVENT TRIGGER ${name} ON ${event} WHEN TAG IN (${tags.map((tag) => `'${tag}'`).join(", ")})
  EXECUTE FUNCTION rocket.note_ddl();
ALTER EVENT TRIGGER ${name} ENABLE ALWAYS;
`;
}

/** For a role that may: most often a superuser only. */
export const eventTriggerSql: string = `
${eventTrigger("rocket_schema", "ddl_command_end", schemaTags)}
${eventTrigger("rocket_drop", "sql_drop", dropTags)}`;

/** Takes them out. */
export const dropEventTriggersSql =
  "DROP EVENT TRIGGER IF EXISTS rocket_schema; DROP EVENT TRIGGER IF EXISTS rocket_drop";
