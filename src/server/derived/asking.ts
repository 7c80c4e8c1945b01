import { type Field, fieldValue, nextLink } from "../../protocol/index.ts";
import { isLater } from "../origin-answer.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { DerivedFollower } from "./derived-follower.ts";
import type { Member, Members } from "./members.ts";
import { retryAfterMs } from "./request-budget.ts";
import type { Sources } from "./sources.ts";
import { entityTagOf, hasDocument, type Standing } from "./standing.ts";

/**
 * What a member's own GET comes to.
 *
 * - `same`: the document is the view's.
 * - `other`: it is another one.
 * - `failed`: there was no answer that counts; it is asked again later.
 * - `none`: nothing for the view. The member has left it, was refused, or is to be asked once more.
 */
export type Verdict =
  | {
      readonly kind: "same" | "other";
      readonly member: Member;
      readonly response: OriginResponse;
      /** The moment at which it was asked. */
      readonly askedAt: number;
    }
  | { readonly kind: "failed" | "none"; readonly member: Member };

/** The view that is asked for. */
export interface AskedView {
  readonly url: string;
  readonly members: Members;
  readonly standing: Standing;
  readonly sources: Sources;
  /** Whether it is asked for by `If-None-Match`: not any more where a 304 says of sharing what the 200 does
   * not, or not what the 200 says of the next part. */
  isConditional: boolean;
}

/** What members are asked with. */
export interface AskingParts {
  readonly clock: Clock;
  /** A moment after all that there were so far. */
  moment(): number;
  /** When a member may be asked as again, by what its rate limit leaves; the past where at once. */
  nextAt(member: Member): number;
  /** One GET as a member, in bounded time and number; never rejects. */
  get(target: string, member: Member, ifNoneMatch?: string): Promise<OriginResponse>;
  /** Whether an answer with these fields still belongs to the view in which its asker is a member. */
  belongs(member: Member, said: readonly Field[]): boolean;
  /** Ends followers of what is gone. */
  endGone(followers: readonly DerivedFollower[], response: OriginResponse): void;
}

const confirmGoneMs = 1_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/** Fields that say who may be shown an answer; what a 304 does not say again still stands. */
const lasting = ["cache-control", "vary"];

/** What an answer says of who may be shown it, after what the one before said. */
export function saidOf(response: OriginResponse, before: readonly Field[]): readonly Field[] {
  const named = (name: string) => response.fields.filter(([key]) => key.toLowerCase() === name);
  const kept = lasting.flatMap((name) => {
    const now = named(name);
    return now.length > 0 || response.status !== 304 ? now : before.filter(([key]) => key.toLowerCase() === name);
  });
  return [...kept, ...named("set-cookie")];
}

/**
 * Whether a 304 says of the next part and of the records what the document has; else the whole answer decides: the entity tag
 * does not tell of them, or the 304 does not say the link again.
 */
function tellsDocument(view: AskedView, { fields }: OriginResponse): boolean {
  const { next, items } = view.standing.document;
  const isSaidSo = (fieldValue(fields, "items") ?? items) === items;
  if (isSaidSo && nextLink(fields) === next) return true;
  view.isConditional = isSaidSo && fieldValue(fields, "link") !== undefined;
  return false;
}

/** Asks for a view as one of its members, and says what the answer is to the view [R-DER-7]. Never rejects. */
export async function askAs(parts: AskingParts, view: AskedView, member: Member): Promise<Verdict> {
  const { document } = view.standing;
  const isKnown = view.isConditional && member.validator?.document === document;
  const etag = isKnown ? member.validator?.etag : undefined;
  const nextAt = parts.nextAt(member);
  if (nextAt > parts.clock.now()) {
    member.notBefore = nextAt;
    return { kind: "none", member };
  }
  const { joined } = member;
  const askedAt = parts.moment();
  const response = await parts.get(view.url, member, etag);
  const { status } = response;
  const now = parts.clock.now();
  const none = { kind: "none", member } as const;
  if (!view.members.has(member)) return none;
  // Who came meanwhile has an answer that may be newer than this one: where an origin never goes back, nor does what is shown.
  if (view.sources.reads && member.joined !== joined) return askAs(parts, view, member);
  if (isLater(status) || (status === 304 && etag === undefined)) {
    const backoffMs = Math.min(lastRetryMs, firstRetryMs * 2 ** member.failures);
    member.failures += 1;
    member.notBefore = now + Math.max(backoffMs, retryAfterMs(response));
    return { kind: "failed", member };
  }
  if (status === 404 || status === 410) {
    member.missingSince ??= now;
    member.notBefore = member.missingSince + (view.sources.reads ? 0 : confirmGoneMs);
    if (now >= member.notBefore) parts.endGone([...member.followers], response);
    return none;
  }
  if (status !== 200 && status !== 203 && status !== 304) {
    for (const follower of [...member.followers]) follower.refuse(response);
    return none;
  }
  const said = saidOf(response, member.said);
  // The decision is taken anew with each answer [R-DER-1].
  if (status === 304 && !parts.belongs(member, said)) {
    // A whole answer decides: some say more of it than a 304 does, and others less.
    view.isConditional = false;
    return askAs(parts, view, member);
  }
  if (status === 304 && !tellsDocument(view, response)) {
    member.validator = undefined;
    return askAs(parts, view, member);
  }
  if (!parts.belongs(member, said)) {
    for (const follower of [...member.followers]) follower.reopen();
    return none;
  }
  member.said = said;
  member.failures = 0;
  member.missingSince = undefined;
  // It is what stood when it was asked that is not modified.
  if (status === 304 && view.standing.document !== document) return none;
  if (status !== 304 && !hasDocument(view.standing, response)) return { kind: "other", member, response, askedAt };
  view.members.checked(member, now);
  if (status !== 304) rememberValidator(member, view.standing, entityTagOf(response));
  return { kind: "same", member, response, askedAt };
}

/** Remembers a member's own entity tag of a document, to ask with. */
export function rememberValidator(member: Member, { document }: Standing, etag: string | undefined): void {
  member.validator = etag === undefined ? undefined : { etag, document };
}
