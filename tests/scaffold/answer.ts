import { type Field, fieldValue } from "../../src/protocol/index.ts";
import type { Scaffold } from "../../src/scaffold/index.ts";
import type { OriginResponse } from "../../src/server/index.ts";

/** An answer, with what tests look at. */
export interface Answer extends OriginResponse {
  /** The body as text. */
  readonly text: string;
  /** The body's JSON. */
  readonly json: unknown;
  field(name: string): string | undefined;
}

/** Sends a request, with a body of JSON unless it is a text; an empty field is left out. */
export type Send = (method: string, target: string, body?: unknown, fields?: Record<string, string>) => Promise<Answer>;

/** What sends requests to a scaffold. */
export function sendTo({ origin }: Pick<Scaffold, "origin">): Send {
  return async (method, target, body, fields = {}) => {
    const named: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    const all = Object.entries({ ...named, ...fields }).filter(([, value]) => value !== "");
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    return describe(await origin({ method, target, fields: all as Field[], body: text }));
  };
}

function describe(response: OriginResponse): Answer {
  const text = typeof response.body === "string" ? response.body : new TextDecoder().decode(response.body);
  return {
    ...response,
    text,
    get json(): unknown {
      return JSON.parse(text);
    },
    field: (name) => fieldValue(response.fields, name),
  };
}
