import { type Clock, systemClock } from "../../../server/index.ts";
import type { Pool } from "../driver.ts";
import { readingSession } from "../own-transaction.ts";
import { quoteName } from "../sql-text.ts";
import { inShort } from "./arm.ts";
import { dropEventTriggersSql } from "./sql-notes.ts";
import { rowTrigger, truncateTrigger } from "./trigger-names.ts";

const triggersSql = `
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), t.tgname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (t.tgname LIKE '${rowTrigger}%' OR t.tgname = '${truncateTrigger}') AND t.tgparentid = 0 ORDER BY 1, 2`;

/**
 * Removes everything that Rocket added to a database: its triggers and the schema `rocket`, and with it the history, in
 * short transactions, so that others can write meanwhile. Journals that follow it report `journal-detached`.
 */
export async function detachPostgres(
  pool: Pool,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<void> {
  await inShort(pool, dropEventTriggersSql, clock);
  for (const [table, name] of await readingSession(pool).query(triggersSql)) {
    await inShort(pool, `DROP TRIGGER IF EXISTS ${quoteName(name ?? "")} ON ${table}`, clock);
  }
  await inShort(pool, "DROP SCHEMA IF EXISTS rocket CASCADE", clock);
}
