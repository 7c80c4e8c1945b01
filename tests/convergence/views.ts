import type { Random } from "../../src/testing/index.ts";
import type { Row, ViewDescription } from "./history.ts";

/** What is asked for, and the view that it is. */
export interface Target {
  readonly target: string;
  readonly view: ViewDescription;
}

function filtered(collection: string, ...equals: ViewDescription["equals"]): ViewDescription {
  const query = equals.map(([column, value]) => `${column}=${value}`).join("&");
  return { url: query === "" ? collection : `${collection}?${query}`, collection, equals };
}

function same(view: ViewDescription): Target {
  return { target: view.url, view };
}

function record(collection: string, id: number): Target {
  const url = `${collection}/${id}`;
  return { target: url, view: { url, collection, record: url, equals: [] } };
}

const both = filtered("/a", ["kind", 1], ["place", "x"]);

/** Everything that readers follow: whole and filtered collections, records, another spelling of one of them. */
const targets: readonly Target[] = [
  same(filtered("/a")),
  same(filtered("/b")),
  same(filtered("/a", ["kind", 1])),
  same(filtered("/a", ["kind", "x"])),
  same(filtered("/b", ["place", "y"])),
  same(filtered("/b", ["kind", 2])),
  same(both),
  { target: "/a?place=x&kind=1", view: both },
  record("/a", 1),
  record("/a", 2),
  record("/b", 3),
];

/** One of them; whole collections more often. */
export function drawTarget(random: Random): Target {
  return random.pick(random.chance(0.3) ? targets.slice(0, 2) : targets);
}

/** A row without what the server adds to it. */
export function plainRow(value: unknown): Row {
  const { url: _, ...row } = value as Row & { url?: unknown };
  return row as Row;
}

/** The record of a record's document. */
export function rowIn(document: unknown): Row {
  return plainRow(Object.values(document as Record<string, unknown>)[0]);
}

/** The records of a 200 by URL. */
export function rowsIn(view: ViewDescription, body: string): Map<string, Row> {
  const document: unknown = JSON.parse(body);
  if (view.record !== undefined) return new Map([[view.record, rowIn(document)]]);
  const [list] = Object.values(document as Record<string, unknown[]>);
  return new Map(
    (list ?? []).map((item) => {
      const { url, id } = item as { url?: string; id?: unknown };
      return [url ?? `${view.collection}/${id}`, plainRow(item)];
    }),
  );
}
