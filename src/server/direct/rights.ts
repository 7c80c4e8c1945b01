import { createProblem, type Field, problemResponse } from "../../protocol/index.ts";
import type { Follower } from "../delivery/following.ts";
import { Gate } from "../gate.ts";
import { isLater, refusalOf } from "../origin-answer.ts";
import type { Clock } from "../ports/clock.ts";
import type { OriginResponse } from "../ports/origin.ts";
import { isAnonymous, ownerOf, type PeerIdentity, type Viewer, viewerKeyOf } from "../viewer.ts";

/** What rights are asked for with. */
export interface RightsParts {
  readonly clock: Clock;
  /** How long a right may stand without being asked for, in milliseconds. */
  readonly refreshMs: number;
  /** One request as a viewer, in bounded time. Never rejects. */
  readonly ask: (method: string, target: string, viewer: Viewer) => Promise<OriginResponse>;
  /** Brings everyone to what was committed before the call. */
  readonly sync: () => Promise<void>;
  readonly identityOf: (peer: unknown) => PeerIdentity;
}

/** One that a view was granted to. */
export interface Grantee {
  /** The URL of its view, and whom that is for. */
  readonly url: string;
  readonly scope: string;
  readonly follower: Pick<Follower, "target" | "fields" | "peer" | "restart" | "endRefused">;
}

/** What one viewer was granted, by however many subscriptions it follows. */
interface Right {
  readonly key: string;
  readonly target: string;
  readonly viewer: Viewer;
  readonly grantees: Set<Grantee>;
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

/** The refusal that the answer to a HEAD is: it has no body, whatever its fields say. */
function headRefusalOf(response: OriginResponse): OriginResponse {
  const fields = response.fields.filter(([name]) => !/^content-(?:type|length)$/i.test(name));
  return refusalOf({ ...response, fields, body: "" });
}

/**
 * Asks again, as each viewer that showed credentials, whether it may still follow a direct view: a journal tells what
 * happened, and not who may know [R-SEC-7].
 */
export class Rights {
  readonly #parts: RightsParts;
  readonly #gate: Gate;
  readonly #rights: Map<string, Right> = new Map();
  /** With the fields that each was granted it with. */
  readonly #grants: Map<Grantee, { readonly right: Right; readonly fields: readonly Field[] }> = new Map();
  #cancel: (() => void) | undefined;

  constructor(parts: RightsParts) {
    this.#parts = parts;
    this.#gate = new Gate(maxAtOnce, (callback) => parts.clock.defer(callback));
  }

  /** Somebody was just granted a view. */
  granted(grantee: Grantee): void {
    this.ended(grantee);
    const { fields, target, peer } = grantee.follower;
    const identity = this.#parts.identityOf(peer);
    if (isAnonymous(fields, identity)) return;
    const key = viewerKeyOf(target, fields, identity);
    let right = this.#rights.get(key);
    if (!right) {
      const viewer: Viewer = { fields, peer };
      right = { key, target, viewer, grantees: new Set(), grantedAt: 0, dueAt: 0, failures: 0 };
      this.#rights.set(key, right);
    }
    this.#grant(right);
    right.grantees.add(grantee);
    this.#grants.set(grantee, { right, fields });
    this.#cancel ??= this.#next();
  }

  /** Somebody follows its view no more. */
  ended(grantee: Grantee): void {
    const right = this.#grants.get(grantee)?.right;
    this.#grants.delete(grantee);
    if (right?.grantees.delete(grantee) && right.grantees.size === 0) this.#rights.delete(right.key);
  }

  stop(): void {
    this.#cancel?.();
    this.#rights.clear();
    this.#grants.clear();
  }

  #grant(right: Right): void {
    const { clock } = this.#parts;
    right.grantedAt = clock.now();
    right.failures = 0;
    right.dueAt = this.#dueAt(right.grantedAt);
  }

  #dueAt(grantedAt: number): number {
    return grantedAt + this.#parts.refreshMs * (0.7 + 0.1 * this.#parts.clock.random());
  }

  #next(): () => void {
    const { clock, refreshMs } = this.#parts;
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
    const now = this.#parts.clock.now();
    // A SUBSCRIBE may have brought other credentials, and was granted.
    for (const [grantee, { fields }] of [...this.#grants]) {
      if (fields !== grantee.follower.fields) this.granted(grantee);
    }
    for (const right of this.#rights.values()) if (right.dueAt <= now) this.#renew(right);
  }

  #renew(right: Right): void {
    right.dueAt = Number.POSITIVE_INFINITY;
    const { target, viewer } = right;
    const owner = ownerOf(viewer.fields, this.#parts.identityOf(viewer.peer));
    void this.#gate
      .run(owner, async () => {
        const response = await this.#parts.ask("HEAD", target, viewer);
        // What is gone may be gone by a write that the journal is about to tell.
        if (response.status === 404 || response.status === 410) await this.#parts.sync();
        return response;
      })
      .then((response) => {
        if (this.#rights.get(right.key) === right) this.#conclude(right, response);
      });
  }

  #conclude(right: Right, response: OriginResponse): void {
    const { clock, refreshMs } = this.#parts;
    const { status, view } = response;
    const now = clock.now();
    if (isLater(status) && now < right.grantedAt + refreshMs) {
      right.dueAt = Math.min(now + firstRetryMs * 2 ** right.failures, right.grantedAt + refreshMs);
      right.failures += 1;
      return;
    }
    const refusal = isLater(status) ? unconfirmed : response;
    const isGranted = (status >= 200 && status < 300) || status === 304;
    for (const grantee of [...right.grantees]) {
      const { follower, url, scope } = grantee;
      // Credentials that a SUBSCRIBE replaced meanwhile are nobody's.
      if (this.#grants.get(grantee)?.fields !== follower.fields) {
        this.granted(grantee);
      } else if (!isGranted) {
        follower.endRefused(headRefusalOf(refusal));
      } else if (status !== 304 && (view?.url !== url || (view.scope ?? "") !== scope)) {
        follower.restart();
      }
    }
    if (isGranted) this.#grant(right);
  }
}
