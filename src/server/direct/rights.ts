import { createProblem, type Field, fieldValue, problemResponse } from "../../protocol/index.ts";
import { Gate } from "../gate.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Subscription } from "../stream/subscription.ts";
import { isAnonymous, ownerOf, type PeerIdentity, type Viewer, viewerKeyOf } from "../viewer.ts";

/** What asking again needs of the hub. */
export interface RightsHost {
  readonly clock: Clock;
  /** How long a right may stand without being asked for, in milliseconds. */
  readonly refreshMs: number;
  /** One request as a viewer, in bounded time. Never rejects. */
  ask(method: string, target: string, viewer: Viewer): Promise<OriginResponse>;
  /** Brings the hub to everything committed before the call. */
  sync(): Promise<void>;
  identityOf(peer: unknown): PeerIdentity;
  /** Ends a subscription with the origin's refusal. */
  refuse(subscription: Subscription, response: OriginResponse): void;
  /** Has a subscription opened anew: it may be followed, in another way than before. */
  reopen(subscription: Subscription): void;
}

/** What one viewer was granted, by however many subscriptions it follows. */
interface Right {
  readonly key: string;
  readonly target: string;
  readonly viewer: Viewer;
  readonly subscriptions: Set<Subscription>;
  /** When it was granted last. */
  grantedAt: number;
  /** When it is asked for again. */
  dueAt: number;
  failures: number;
}

const sweepParts = 60;
const maxAtOnce = 16;
const firstRetryMs = 1_000;

/** The origin could not say in time whether the viewer may still follow. */
const unconfirmed: OriginResponse = problemResponse(
  createProblem(503, "Whether this may still be followed could not be asked for in time. Come back later."),
  [["Retry-After", "1"]],
);

function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** When a bearer token says that it expires (`exp`, RFC 7519 §4.1.4), in milliseconds since 1970; it is not verified. */
export function tokenExpiry(fields: readonly Field[]): number | undefined {
  const [, payload] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/i.exec(fieldValue(fields, "authorization") ?? "") ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const { exp } = (claims ?? {}) as { readonly exp?: unknown };
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks again, as each viewer that showed credentials, whether it may still follow a direct view: a journal tells what
 * happened, and not who may know [R-SEC-7].
 */
export class Rights {
  readonly #host: RightsHost;
  readonly #gate: Gate;
  readonly #rights: Map<string, Right> = new Map();
  /** With the fields that each subscription was granted it with. */
  readonly #grants: Map<Subscription, { readonly right: Right; readonly fields: readonly Field[] }> = new Map();
  #cancel: (() => void) | undefined;

  constructor(host: RightsHost) {
    this.#host = host;
    this.#gate = new Gate(maxAtOnce, (callback) => host.clock.defer(callback));
  }

  /** A subscription was just granted its view. */
  granted(subscription: Subscription): void {
    this.ended(subscription);
    const { fields, target, connection } = subscription;
    const identity = this.#host.identityOf(connection.peer);
    if (isAnonymous(fields, identity)) return;
    const key = viewerKeyOf(target, fields, identity);
    let right = this.#rights.get(key);
    if (!right) {
      const viewer: Viewer = { fields, peer: connection.peer };
      right = { key, target, viewer, subscriptions: new Set(), grantedAt: 0, dueAt: 0, failures: 0 };
      this.#rights.set(key, right);
    }
    this.#grant(right);
    right.subscriptions.add(subscription);
    this.#grants.set(subscription, { right, fields });
    this.#cancel ??= this.#next();
  }

  /** A subscription follows its direct view no more. */
  ended(subscription: Subscription): void {
    const right = this.#grants.get(subscription)?.right;
    this.#grants.delete(subscription);
    if (right?.subscriptions.delete(subscription) && right.subscriptions.size === 0) this.#rights.delete(right.key);
  }

  stop(): void {
    this.#cancel?.();
    this.#rights.clear();
    this.#grants.clear();
  }

  #grant(right: Right): void {
    const { clock } = this.#host;
    right.grantedAt = clock.now();
    right.failures = 0;
    right.dueAt = this.#dueAt(right.grantedAt);
    const expiry = tokenExpiry(right.viewer.fields);
    const leftMs = expiry === undefined ? 0 : expiry - clock.wallTime();
    // A token that is over and was taken all the same is the origin's own business.
    if (leftMs > 0) right.dueAt = Math.min(right.dueAt, right.grantedAt + leftMs);
  }

  #dueAt(grantedAt: number): number {
    return grantedAt + this.#host.refreshMs * (0.7 + 0.1 * this.#host.clock.random());
  }

  #next(): () => void {
    const { clock, refreshMs } = this.#host;
    return clock.setTimer(
      () => {
        this.#cancel = undefined;
        this.#sweep();
        if (this.#rights.size > 0) this.#cancel ??= this.#next();
      },
      Math.max(1, refreshMs / sweepParts),
    );
  }

  #sweep(): void {
    const now = this.#host.clock.now();
    // A SUBSCRIBE may have brought other credentials, and was granted.
    for (const [subscription, { fields }] of [...this.#grants]) {
      if (fields !== subscription.fields) this.granted(subscription);
    }
    for (const right of this.#rights.values()) if (right.dueAt <= now) this.#renew(right);
  }

  #renew(right: Right): void {
    right.dueAt = Number.POSITIVE_INFINITY;
    const { target, viewer } = right;
    const owner = ownerOf(viewer.fields, this.#host.identityOf(viewer.peer));
    void this.#gate
      .run(owner, async () => {
        const response = await this.#host.ask("HEAD", target, viewer);
        // What is gone may be gone by a write that the journal is about to tell.
        if (response.status === 404 || response.status === 410) await this.#host.sync();
        return response;
      })
      .then((response) => {
        if (this.#rights.get(right.key) === right) this.#conclude(right, response);
      });
  }

  #conclude(right: Right, response: OriginResponse): void {
    const { clock, refreshMs } = this.#host;
    const { status, view } = response;
    const now = clock.now();
    if (isRetryable(status) && now < right.grantedAt + refreshMs) {
      right.dueAt = Math.min(now + firstRetryMs * 2 ** right.failures, right.grantedAt + refreshMs);
      right.failures += 1;
      return;
    }
    const refusal = isRetryable(status) ? unconfirmed : response;
    const isGranted = (status >= 200 && status < 300) || status === 304;
    for (const subscription of [...right.subscriptions]) {
      // Credentials that a SUBSCRIBE replaced meanwhile are nobody's.
      if (this.#grants.get(subscription)?.fields !== subscription.fields) {
        this.granted(subscription);
      } else if (!isGranted) {
        this.#host.refuse(subscription, refusal);
      } else if (status !== 304 && view?.url !== subscription.url) {
        this.#host.reopen(subscription);
      }
    }
    if (isGranted) this.#grant(right);
  }
}
