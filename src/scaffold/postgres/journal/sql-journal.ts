import { armingSql } from "./sql-arm.ts";
import { notesSql } from "./sql-notes.ts";
import { shapesSql } from "./sql-shapes.ts";
import { journalVersion, tablesSql } from "./sql-tables.ts";
import { tickingSql } from "./sql-tick.ts";
import { trimSql } from "./sql-trim.ts";

/** Makes the schema `rocket`, and begins a journal in it. */
export const journalSql: string = `${tablesSql}${notesSql}${shapesSql}${tickingSql}${trimSql}${armingSql}
INSERT INTO rocket.state (version, segment, system) SELECT ${journalVersion}, rocket.new_segment(), rocket.server();
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rocket FROM PUBLIC;
`;
