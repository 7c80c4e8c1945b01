import { isToken } from "./characters.ts";

/** What a field is to the framing of a message: `plain` ones are only carried, a `malformed` name is no token. */
export type FieldRole = "plain" | "banned" | "content-length" | "host" | "malformed";

function isNamed(name: string, lowerCase: string): boolean {
  return name === lowerCase || name.toLowerCase() === lowerCase;
}

/** Tells the fields that frame a message; by length first, since lower case costs an allocation. */
function framingOf(name: string): FieldRole {
  switch (name.length) {
    case 2:
      return isNamed(name, "te") ? "banned" : "plain";
    case 4:
      return isNamed(name, "host") ? "host" : "plain";
    case 7:
      return isNamed(name, "upgrade") || isNamed(name, "trailer") ? "banned" : "plain";
    case 10:
      return isNamed(name, "connection") ? "banned" : "plain";
    case 14:
      return isNamed(name, "content-length") ? "content-length" : "plain";
    case 17:
      return isNamed(name, "transfer-encoding") ? "banned" : "plain";
    default:
      return "plain";
  }
}

/** Names as they are usually written: found here, they need no further look. */
const usual: ReadonlyMap<string, FieldRole> = new Map(
  [
    ...["Accept", "Authorization", "Cache-Control", "Content-Language", "Content-Length", "Content-Location"],
    ...["Content-Type", "Date", "ETag", "Event-ID", "Host", "If-None-Match", "Item-Order", "Items", "Last-Event-ID"],
    ...["Last-Modified", "Link", "Location", "Prefer", "Request-ID", "Retry-After", "Subscription", "Vary"],
  ].map((name) => [name, framingOf(name)]),
);

/** The role of a field by its name. */
export function fieldRole(name: string): FieldRole {
  return usual.get(name) ?? (isToken(name) ? framingOf(name) : "malformed");
}

/** Whether a field must not be in a message at all: it speaks about one hop, and a frame has none [R-MSG-11]. */
export function isBannedField(name: string): boolean {
  return fieldRole(name) === "banned";
}

/** The number that a Content-Length says; `undefined` where it is not made of digits alone. */
export function parseContentLength(value: string): number | undefined {
  return /^[0-9]+$/.test(value) ? Number(value) : undefined;
}
