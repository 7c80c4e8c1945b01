import { acceptWeight, parseAccept } from "../protocol/index.ts";

/** Whether an `Accept` is that of somebody who wants a page, as a browser does for a tab, and not data. */
export function prefersHtml(accept = ""): boolean {
  const ranges = parseAccept(accept);
  return acceptWeight(ranges, "text/html") > acceptWeight(ranges, "application/json");
}
