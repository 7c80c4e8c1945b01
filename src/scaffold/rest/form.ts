import { type Body, type Field, fieldValue } from "../../protocol/index.ts";
import type { Decoded, Stored, ValueType } from "../engine/value-type.ts";
import { parseJson } from "../json/json-reader.ts";
import { decodeText } from "./body-text.ts";
import { formType } from "./form-type.ts";
import { FieldErrors, Refusal } from "./refusal.ts";

/** A value of a form: a text, whatever its column is of. */
export class FormText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Whether a body is a form. */
export function isForm(fields: readonly Field[]): boolean {
  return fieldValue(fields, "content-type")?.split(";")[0]?.trim().toLowerCase() === formType;
}

/** A page of another site can send a form without being asked for, which it can't with JSON. @throws Refusal 403 */
export function requireOwnForm(fields: readonly Field[]): void {
  const isForeign = fieldValue(fields, "sec-fetch-site")?.trim().toLowerCase() === "cross-site";
  if (isForeign) throw new Refusal(403, "A form on a page of another site may not write here.");
}

/** Parses a form, as the members of a record. @throws Refusal 400 where it is not UTF-8, 422 where a name is given twice */
export function parseForm(body: Body): Readonly<Record<string, FormText>> {
  const errors = new FieldErrors("The form can't be taken as sent");
  const members = new Map<string, FormText>();
  for (const [name, text] of new URLSearchParams(decodeText(body))) {
    if (members.has(name)) errors.add(name, "This is given twice.");
    members.set(name, new FormText(text));
  }
  errors.refuse();
  return Object.fromEntries(members);
}

/** A form's members by their own names, where all have the record's envelope: `artist[name]=Can`. */
export function unwrapForm(
  members: readonly (readonly [name: string, json: unknown])[],
  singular: string,
): readonly (readonly [name: string, json: unknown])[] {
  const [before, after] = [`${singular}[`, "]"];
  const isWrapped = ([name, json]: readonly [string, unknown]): boolean =>
    json instanceof FormText && name.startsWith(before) && name.endsWith(after);
  if (!members.every(isWrapped)) return members;
  return members.map(([name, json]) => [name.slice(before.length, -after.length), json]);
}

/** A form's text as a column takes it: `true` of a boolean, JSON of one for JSON; nothing is null where no empty text is taken. */
export function decodeFormText(type: ValueType, { text }: FormText, stored: Stored | undefined): Decoded {
  if (type.holdsJson) return decodeFormJson(type, text, stored);
  const truth = text === "true" ? true : text === "false" ? false : undefined;
  const asTruth = truth === undefined ? undefined : type.fromJson(truth, stored);
  if (asTruth && "value" in asTruth) return asTruth;
  const decoded = type.fromJson(text, stored);
  return text === "" && "detail" in decoded ? type.fromJson(null, stored) : decoded;
}

function decodeFormJson(type: ValueType, text: string, stored: Stored | undefined): Decoded {
  try {
    return type.fromJson(text === "" ? null : parseJson(text), stored);
  } catch {
    return { detail: "This must be JSON." };
  }
}
