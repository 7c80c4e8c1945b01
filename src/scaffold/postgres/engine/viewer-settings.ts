import type { Field } from "../../../protocol/index.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { formatJson } from "../../json/json.ts";
import type { Sql } from "./sql.ts";

/** What policies ask about a request, as PostgREST has it. */
const names = ["request.jwt.claims", "request.method", "request.path", "request.headers", "request.cookies"];

const setAll = names.map((name, at) => `set_config('${name}', $${at + 2}, true)`).join(", ");

/** All fields but the cookies, by their names in lower case. */
function headersOf(fields: readonly Field[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "cookie") continue;
    const before = headers.get(lower);
    headers.set(lower, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

function cookiesOf(fields: readonly Field[]): Record<string, string> {
  const pairs = fields.flatMap(([name, value]) => (name.toLowerCase() === "cookie" ? value.split(";") : []));
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]];
    }),
  );
}

function requestValues({ request }: Viewer, claims: Readonly<Record<string, unknown>>): string[] {
  const { method = "", target = "", fields = [] } = request ?? {};
  return [
    formatJson(claims),
    method,
    target.split("?")[0] ?? "",
    JSON.stringify(headersOf(fields)),
    JSON.stringify(cookiesOf(fields)),
  ];
}

/** Takes a viewer's role and claims on until the end of the transaction, as PostgREST does. Values are bound. */
export function takeOn(role: string, viewer: Viewer): Sql {
  const values = [role, ...requestValues(viewer, { ...viewer.claims, role })];
  return { text: `SELECT set_config('role', $1, true), ${setAll}`, values };
}

/** As {@link takeOn} where there are no roles: triggers and functions may ask about the request. */
export function introduce(viewer: Viewer): Sql {
  return { text: `SELECT $1::text, ${setAll}`, values: ["", ...requestValues(viewer, {})] };
}

const resets = ["RESET ROLE", "RESET ALL"];
/** Functions that a viewer has called may have set something for the whole session, where the next viewer would find it. */
export const resetSession: string = resets.join("; ");

/** The statements that end the transaction of viewers in these roles. */
export function commitFor(roles: Iterable<Viewer["role"]>): readonly string[] {
  return [...roles].some((role) => role !== undefined) ? ["COMMIT", ...resets] : ["COMMIT"];
}

/** Goes back to the connection's own role, be it one that its login was given by `ALTER ROLE … SET role`, with nothing left of the viewer. */
export const putOff: string = `SET LOCAL role TO DEFAULT; ${names.map((name) => `SET LOCAL ${name} = ''`).join("; ")}`;
