import { fieldValue } from "../../protocol/index.ts";
import type { OriginRequest } from "../../server/index.ts";
import { isJsonObject } from "../json/json.ts";
import { FieldErrors, Refusal } from "../rest/refusal.ts";

/** No one of these bodies needs more. */
const maxBytes = 8 * 1024;

/** The members of a body, each a text or a truth. */
export type AuthMembers = ReadonlyMap<string, string | boolean>;

function textOf({ body }: OriginRequest): string {
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (bytes > maxBytes) throw new Refusal(413, `The body may have ${maxBytes / 1024} KiB at most.`);
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, "The body is not UTF-8.");
  }
}

function readForm(text: string): [string, unknown][] {
  return [...new URLSearchParams(text)].map(([name, value]) => [name, name === "cookie" ? value === "true" : value]);
}

function readJson(text: string): [string, unknown][] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(400, text.trim() === "" ? "The body is empty; JSON was expected." : "The body is not JSON.");
  }
  if (!isJsonObject(json)) throw new Refusal(422, "The body must be a JSON object.");
  return Object.entries(json);
}

/**
 * Reads the body of a request about a session, as JSON or a form; none has no members.
 *
 * @param known - the members that it may have
 * @throws Refusal 400, 413, 415; 422 naming members that are unknown, or of another type
 */
export function readMembers(request: OriginRequest, known: readonly string[]): AuthMembers {
  const text = textOf(request);
  const type = (fieldValue(request.fields, "content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (text === "" && type === "") return new Map();
  const isForm = type === "application/x-www-form-urlencoded";
  if (!isForm && type !== "application/json") {
    throw new Refusal(415, "The body must be application/json or application/x-www-form-urlencoded.");
  }
  const errors = new FieldErrors("The request can't be taken as sent");
  const members = new Map<string, string | boolean>();
  for (const [name, value] of isForm ? readForm(text) : readJson(text)) {
    const type = name === "cookie" ? "boolean" : "string";
    if (!known.includes(name)) errors.add(name, `This is unknown here; there are ${known.join(", ")}.`);
    else if (members.has(name)) errors.add(name, "This is given twice.");
    else if (typeof value !== type)
      errors.add(name, type === "string" ? "This must be a text." : "This must be true or false.");
    else members.set(name, value as string | boolean);
  }
  errors.refuse();
  return members;
}
