import { createHash } from "node:crypto";

/** SHA-256 (FIPS 180-4) of bytes, or of a text in UTF-8. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}
