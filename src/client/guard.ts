import { fieldValue } from "../protocol/index.ts";
import { isDeepEqual } from "./deep-equal.ts";
import type { Http } from "./http.ts";
import { bodyJson, localProblem } from "./problem.ts";
import type { Replica } from "./replica.ts";
import { ConflictError } from "./write.ts";

/** What a write is guarded by. */
export interface GuardOptions {
  readonly http: Http;
  /** Where the record is shown. */
  readonly replica: Replica;
  readonly url: string;
  /** What is to be written. */
  readonly values: object;
}

/**
 * The validator of a record as it is shown, for `If-Match`.
 *
 * @throws ConflictError where the server has another version by now
 * @throws TypeError where the server gives none
 */
export async function shownEtag({ http, replica, url, values }: GuardOptions): Promise<string> {
  const known = replica.etags.get(url);
  if (known !== undefined) return known;
  const answer = await http.ask(url);
  const etag = fieldValue(answer.fields, "etag");
  const body = bodyJson(answer);
  const shown = replica.get(url);
  const isShown = [body, ...Object.values(body ?? {})].some((one) => isDeepEqual(one, shown));
  if (etag !== undefined && isShown) return etag;
  if (answer.status === 200 && etag === undefined) throw new TypeError(`The server gives no ETag for ${url}.`);
  // Whatever this names, it is not the version that is shown: the server refuses it, and the conflict is told.
  const problem = localProblem(412, "The record is not the one that is shown.");
  throw new ConflictError(problem, { url, mine: values, theirs: Object.values(body ?? {})[0] ?? undefined });
}
