import type { Body } from "../../protocol/index.ts";
import { Refusal } from "./refusal.ts";

/** A body's text. @throws Refusal 400 where it is not UTF-8 */
export function decodeText(body: Body): string {
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, "The body is not UTF-8.");
  }
}
