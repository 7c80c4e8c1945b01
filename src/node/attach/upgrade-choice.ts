import type { IncomingMessage } from "node:http";
import { offeredSubprotocols } from "../../protocol/index.ts";
import { parseRequestTarget } from "../request-target.ts";
import type { PathFilter } from "./options.ts";

/** Whose an upgrade is: Rocket's, that of the other listeners, or nobody's: then it is a plain request. */
export type UpgradeTaker = "rocket" | "others" | "nobody";

/** What is looked at of a handshake. */
export type Handshake = Pick<IncomingMessage, "headers" | "method" | "url">;

/**
 * Chooses who takes an upgrade. A client that asks for another protocol than Rocket's never gets Rocket.
 *
 * @param paths - what the application said can be followed
 * @param hasOthers - whether somebody else listens for upgrades
 */
export function chooseTaker(
  { headers, method, url = "/" }: Handshake,
  paths: PathFilter | undefined,
  hasOthers: boolean,
): UpgradeTaker {
  const others = hasOthers ? "others" : "nobody";
  if (headers.upgrade?.toLowerCase() !== "websocket" || method !== "GET") return others;
  const offered = offeredSubprotocols(headers["sec-websocket-protocol"]);
  if (offered.includes("rocket.v1")) return "rocket";
  if (offered.some((token) => !token.startsWith("rocket."))) return others;
  if (paths) return paths.includes(parseRequestTarget(url, method)?.target ?? url) ? "rocket" : others;
  return hasOthers ? "others" : "rocket";
}
