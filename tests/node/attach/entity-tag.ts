import { createHash } from "node:crypto";

/** A validator of a text, for frameworks that make none. */
export function entityTag(text: string): string {
  return `"${createHash("sha1").update(text).digest("base64url")}"`;
}
