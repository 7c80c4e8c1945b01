import type { Field, HttpResponse } from "../../src/protocol/index.ts";

/** The 200 of a list at `/a`. */
export function listOf(rows: readonly object[], ...fields: readonly Field[]): HttpResponse {
  const items: Field = ["Items", 'list="/a", record="/record", url="/a/{id}"'];
  return message(200, { a: rows }, items, ...fields);
}

/** A message with JSON. */
export function message(status: number, body: unknown, ...fields: readonly Field[]): HttpResponse {
  const type: Field = ["Content-Type", "application/json"];
  return { status, reason: "", fields: [type, ...fields], body: status === 204 ? "" : JSON.stringify(body) };
}

/** The 201 or 202 of a record of that list. */
export function change(status: 201 | 202, row: { readonly id: number }, ...fields: readonly Field[]): HttpResponse {
  return message(status, { record: row }, ["Content-Location", `/a/${row.id}`], ...fields);
}

/** The 204 of a record of that list. */
export function leave(id: number, ...fields: readonly Field[]): HttpResponse {
  return { status: 204, reason: "", fields: [["Content-Location", `/a/${id}`], ...fields], body: "" };
}
