import { type RecordFormat, recordJson } from "../../../src/scaffold/postgres/index.ts";

/** Shows records by the renderer of values, and nothing else. */
export const plainFormat: RecordFormat = {
  collectionPath: ({ schema, name }) => (schema === "public" ? `/${name}` : `/${schema}.${name}`),
  recordUrl: (table, key) => `${plainFormat.collectionPath(table)}/${key.join(",")}`,
  represent: (table, row) => ({ contentType: "application/json", body: recordJson(table.columns, row) }),
  imageMembers: ({ columns }) => columns.map(({ name }, place) => ({ name, place, toImage: (value) => value })),
};
