/** What a field says about the framing of a message; such fields are checked, all others only carried. */
export type FramingField = "banned" | "content-length" | "host";

function isNamed(name: string, lowerCase: string): boolean {
  return name === lowerCase || name.toLowerCase() === lowerCase;
}

/** Tells the fields that frame a message; by length first, since this runs for each field of each message. */
export function framingField(name: string): FramingField | undefined {
  switch (name.length) {
    case 2:
      return isNamed(name, "te") ? "banned" : undefined;
    case 4:
      return isNamed(name, "host") ? "host" : undefined;
    case 7:
      return isNamed(name, "upgrade") || isNamed(name, "trailer") ? "banned" : undefined;
    case 10:
      return isNamed(name, "connection") ? "banned" : undefined;
    case 14:
      return isNamed(name, "content-length") ? "content-length" : undefined;
    case 17:
      return isNamed(name, "transfer-encoding") ? "banned" : undefined;
    default:
      return undefined;
  }
}

/** Whether a field must not be in a message at all: it speaks about one hop, and a frame has none [R-MSG-11]. */
export function isBannedField(name: string): boolean {
  return framingField(name) === "banned";
}

/** The number that a Content-Length says; `undefined` where it is not made of digits alone. */
export function parseContentLength(value: string): number | undefined {
  return /^[0-9]+$/.test(value) ? Number(value) : undefined;
}
