import type { HttpResponse } from "../protocol/index.ts";
import { bodyJson } from "./problem.ts";

/** Whether an answer at the well-known URL makes a promise [R-WK-4]. */
export function makesPromise(wellKnown: HttpResponse, name: string): boolean {
  const said = bodyJson(wellKnown) as { readonly rocket?: { readonly promises?: unknown } } | undefined;
  const promises = said?.rocket?.promises;
  return Array.isArray(promises) && promises.includes(name);
}
