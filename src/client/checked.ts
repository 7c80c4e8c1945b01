import { type HttpResponse, isToken, isValue } from "../protocol/index.ts";

function isField(field: unknown): boolean {
  const [name, value, ...others] = Array.isArray(field) ? field : [];
  return isText(name) && isToken(name) && isText(value) && others.length === 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && isValue(value);
}

/** A message that was kept or handed on by somebody; `undefined` where no peer could have sent it. */
export function checkedMessage(value: unknown): HttpResponse | undefined {
  const { status, reason, fields, body } = Object(value);
  const isMessage =
    Number.isInteger(status) &&
    status >= 200 &&
    status <= 599 &&
    Array.isArray(fields) &&
    fields.every(isField) &&
    (typeof body === "string" || body instanceof Uint8Array);
  return isMessage ? { status, reason: isText(reason) ? reason : "", fields, body } : undefined;
}
