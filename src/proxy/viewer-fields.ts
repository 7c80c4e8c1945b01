import type { Field } from "../protocol/index.ts";

/** Fields of a handshake that don't belong to the GETs made in its name: what one request was about, not who asks. */
const dropped = new Set([
  "accept-encoding",
  "baggage",
  "cache-control",
  "expect",
  "pragma",
  "range",
  "traceparent",
  "tracestate",
  "uber-trace-id",
  "x-request-id",
]);
const droppedPrefixes = ["sec-", "x-b3-", "x-amzn-trace", "x-cloud-trace"];

function isDropped(name: string): boolean {
  return dropped.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix));
}

/** The fields, names and values in turn, with which the upstream is asked in a viewer's name. */
export function askingFields(fields: readonly Field[]): string[] {
  const asking: string[] = [];
  let accepts = false;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (isDropped(lower)) continue;
    if (lower === "accept") accepts = true;
    asking.push(name, value);
  }
  if (!accepts) asking.push("Accept", "application/json, */*;q=0.5");
  asking.push("Accept-Encoding", "identity", "Sec-Fetch-Mode", "cors");
  return asking;
}
