import { fieldValue } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { OriginResponse } from "../origin.ts";
import type { Member, Members, Viewer } from "./members.ts";
import { entityTagOf, hasDocument, type Standing } from "./standing.ts";

/** What a member's own GET comes to. */
export type Verdict<Follower> =
  /** The document is the view's. */
  | { readonly kind: "same"; readonly member: Member<Follower>; readonly response: OriginResponse }
  /** It is another one. */
  | { readonly kind: "other"; readonly member: Member<Follower>; readonly response: OriginResponse }
  /** There was no answer that counts; it is asked again later. */
  | { readonly kind: "failed"; readonly member: Member<Follower> }
  /** Nothing for the view: the member has left, or is to be asked once more. */
  | { readonly kind: "none"; readonly member: Member<Follower> };

/** The view that is asked for. */
export interface AskedView<Follower> {
  readonly url: string;
  readonly members: Members<Follower>;
  readonly standing: Standing;
}

/** What becomes of members whose own GET is not answered with the view's document. */
export interface AskingHost<Follower> {
  readonly clock: Clock;
  /** One GET as a viewer, in bounded time and number; never rejects. */
  get(target: string, viewer: Viewer, ifNoneMatch?: string): Promise<OriginResponse>;
  /** Whether an answer may still be shown to those with whom its viewer shares the view. */
  belongs(viewer: Viewer, response: OriginResponse): boolean;
  /** Has followers ask anew, each for itself: their answers are no longer the view's. */
  reopen(followers: readonly Follower[]): void;
  /** Ends followers with an answer that is no document. */
  refuse(followers: readonly Follower[], response: OriginResponse): void;
  /** Ends followers of what is gone. */
  gone(followers: readonly Follower[], response: OriginResponse): void;
}

const confirmGoneMs = 1_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** The wait that an answer asks for, in milliseconds. A date counts from the answer's own. */
function retryAfterMs({ fields }: OriginResponse): number {
  const value = fieldValue(fields, "retry-after") ?? "";
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1_000;
  const waitMs = Date.parse(value) - Date.parse(fieldValue(fields, "date") ?? "");
  return waitMs > 0 ? waitMs : 0;
}

/** Asks for a view as one of its members, and says what the answer is to the view [R-DER-7]. Never rejects. */
export async function askAs<Follower>(
  host: AskingHost<Follower>,
  view: AskedView<Follower>,
  member: Member<Follower>,
): Promise<Verdict<Follower>> {
  const { document } = view.standing;
  const etag = member.validator?.document === document ? member.validator.etag : undefined;
  const response = await host.get(view.url, member.viewer, etag);
  const { status } = response;
  const now = host.clock.now();
  const none = { kind: "none", member } as const;
  if (!view.members.has(member)) return none;
  if (isRetryable(status) || (status === 304 && etag === undefined)) {
    const backoffMs = Math.min(lastRetryMs, firstRetryMs * 2 ** member.failures);
    member.failures += 1;
    member.notBefore = now + Math.max(backoffMs, retryAfterMs(response));
    return { kind: "failed", member };
  }
  if (status === 404 || status === 410) {
    member.missingSince ??= now;
    member.notBefore = member.missingSince + confirmGoneMs;
    if (now >= member.notBefore) host.gone([...member.followers], response);
    return none;
  }
  member.failures = 0;
  member.missingSince = undefined;
  if (status === 304) {
    // It is what stood when it was asked that is not modified.
    if (view.standing.document !== document) return none;
    view.members.checked(member, now);
    return { kind: "same", member, response };
  }
  if (status !== 200 && status !== 203) {
    host.refuse([...member.followers], response);
    return none;
  }
  if (!host.belongs(member.viewer, response)) {
    host.reopen([...member.followers]);
    return none;
  }
  if (!hasDocument(view.standing, response)) return { kind: "other", member, response };
  view.members.checked(member, now);
  rememberValidator(member, view.standing, entityTagOf(response));
  return { kind: "same", member, response };
}

/** Remembers a member's own entity tag of a document, to ask with. */
export function rememberValidator<Follower>(
  member: Member<Follower>,
  { document }: Standing,
  etag: string | undefined,
): void {
  member.validator = etag === undefined ? undefined : { etag, document };
}
