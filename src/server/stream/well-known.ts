import { heartbeatMs, wellKnownPath } from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { HubLimits } from "./hub-options.ts";

/** Which requests are carried out in band beside SUBSCRIBE and UNSUBSCRIBE [R-BAND-12]. */
export interface RequestsInBand {
  readonly methods: readonly string[];
  /** Names of further fields that they may have of their own, in lower case [R-BAND-15]. */
  readonly fields: readonly string[];
}

/** Whether a target is the well-known URL. */
export function isWellKnown(target: string): boolean {
  return target.split("?")[0] === wellKnownPath;
}

/** The answer at `/.well-known/rocket`: version, limits, heartbeat, and what the origin promises [R-WK-1]. */
export function wellKnownResponse(
  limits: HubLimits,
  promises: readonly string[],
  offers: { readonly hasStreams: boolean; readonly requests: RequestsInBand | undefined },
): OriginResponse {
  const { maxMessageBytes, maxSubscriptions, maxOutstandingRequests } = limits;
  const { hasStreams, requests } = offers;
  const rocket = {
    version: "1.0",
    levels: [0, 1],
    ...(hasStreams && { streams: ["text/event-stream", "application/http"] }),
    heartbeatMs,
    limits: { maxMessageBytes, maxSubscriptions, maxOutstandingRequests },
    promises,
    ...(requests && { requests }),
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
