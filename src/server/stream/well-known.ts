import { heartbeatMs } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { HubLimits } from "./hub-options.ts";

/** The answer at `/.well-known/rocket`: version, limits, heartbeat, and what the origin promises [R-WK-1]. */
export function wellKnownResponse(limits: HubLimits, promises: readonly string[]): OriginResponse {
  const { maxMessageBytes, maxSubscriptions, maxOutstandingRequests } = limits;
  const rocket = {
    version: "1.0",
    levels: [0, 1],
    heartbeatMs,
    limits: { maxMessageBytes, maxSubscriptions, maxOutstandingRequests },
    promises,
  };
  return {
    status: 200,
    fields: [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ],
    body: JSON.stringify({ rocket }),
  };
}
