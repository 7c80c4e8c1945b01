import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import type { Document } from "./document.ts";

/** SHA-256 (FIPS 180-4) of bytes, or of a text in UTF-8. */
export type Sha256 = (data: string | Uint8Array) => Uint8Array;

const encoder = new TextEncoder();
/** 160 bits: nobody finds two documents of one digest. */
const digestBytes = 20;

/** Where the platform has none of its own. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return portableSha256(typeof data === "string" ? encoder.encode(data) : data);
}

/** A digest of a document, the same on every machine, that nobody finds a second document for [R-POS-8]. */
export function digestDocument(hash: Sha256, { contentType, body, next, items }: Document): string {
  const said = Object.entries({ next, items }).filter(([, text]) => text !== undefined);
  const more = said.map(([name, text = ""]) => `${name} ${text.length} ${text} `).join("");
  const head = encoder.encode(`${more}${typeof body === "string" ? "text" : "bytes"} ${contentType}\n`);
  const inner = hash(body);
  const all = new Uint8Array(head.length + inner.length);
  all.set(head);
  all.set(inner, head.length);
  return Array.from(hash(all).subarray(0, digestBytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
