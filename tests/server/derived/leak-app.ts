import { createProblem, type Field, fieldValue, problemResponse } from "../../../src/protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../../src/server/index.ts";
import type { Random } from "../../../src/testing/index.ts";

/** How a resource answers: to whom what, and what it says of sharing. */
export type Kind =
  | "address"
  | "cookie"
  | "csrf"
  | "flux"
  | "guest"
  | "inert"
  | "language"
  | "marked"
  | "private"
  | "public"
  | "record"
  | "star"
  | "tenant";

export const targets: Readonly<Record<string, Kind>> = {
  "/address": "address",
  "/cookie": "cookie",
  "/csrf": "csrf",
  "/flux": "flux",
  "/guest": "guest",
  "/inert": "inert",
  "/language": "language",
  "/marked": "marked",
  "/private": "private",
  "/public": "public",
  "/star": "star",
  "/tenant": "tenant",
  "/record/1": "record",
  "/record/2": "record",
};

export type Refusal = 401 | 403 | 404 | 302 | 429 | 503;

/** What `/flux` says of who may be shown its answers, which changes. */
const moods: readonly (readonly Field[])[] = [
  [["Cache-Control", "public"]],
  [["Cache-Control", "s-maxage=5, max-age=0"]],
  [],
  [["Cache-Control", "private"]],
  [["Cache-Control", 'public, no-cache="x"']],
  [["Cache-Control", "no-store"]],
  [
    ["Cache-Control", "public"],
    ["Vary", "User-Agent"],
  ],
  [
    ["Cache-Control", "public"],
    ["Vary", "*"],
  ],
  [
    ["Cache-Control", "public"],
    ["Set-Cookie", "seen=1"],
  ],
];

/** Somebody whom the app knows. */
export interface User {
  readonly name: string;
  readonly credential: Field;
  tenant: string;
  readonly hidden: Set<number>;
  readonly shown: Set<number>;
  refusal: Refusal | undefined;
}

/** An answer that somebody was given. */
export interface Given {
  readonly at: number;
  readonly who: string;
  readonly target: string;
  readonly status: number;
  readonly body: string;
  /** A text that those share who may be shown it by the app's own word. */
  readonly sharedBy: string | undefined;
}

interface Row {
  readonly id: number;
  readonly v: string;
}

/** Rows that are shown to nobody but those who were let in. */
function isSecret({ id }: Row): boolean {
  return id % 5 === 4;
}

function entityTag(name: string, body: string): string {
  let sum = 0;
  for (let at = 0; at < body.length; at += 1) sum = (sum * 31 + body.charCodeAt(at)) % 2 ** 40;
  return `"${name}-${sum}"`;
}

const seen = ["accept-language", "authorization", "cookie", "user-agent", "x-api-key", "x-forwarded-for"];

/** What the app sees of who asks: any of it may count. */
export function whoIs(fields: readonly Field[], peer: unknown): string {
  return [...seen.map((name) => fieldValue(fields, name) ?? ""), String(peer)].join("|");
}

/** An app in which everybody may see something else, and that changes. */
export class LeakApp {
  readonly users: readonly User[];
  readonly given: Given[] = [];
  rows: Row[] = [];
  isDown = false;
  /** Addresses from which nobody is let in. */
  readonly banned: Set<string> = new Set();
  latencyMs: () => number = () => 0;
  /** Whether a 304 says again what its 200 said. */
  isTerse = false;
  readonly #clock: Clock;
  #mood = 0;
  #version = 1;
  #nextId = 1;
  #guests = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.users = Array.from({ length: 8 }, (_, at): User => {
      const name = `u${at}`;
      const kinds: readonly Field[] = [
        ["Authorization", `Bearer ${name}`],
        ["Cookie", `session=${name}`],
        ["X-Api-Key", `key-${name}`],
      ];
      const credential = kinds[at % 3] as Field;
      return { name, credential, tenant: `t${at % 2}`, hidden: new Set(), shown: new Set(), refusal: undefined };
    });
    for (let at = 0; at < 5; at += 1) this.#enter();
  }

  /** Writes something, and says which record. */
  write(random: Random): number {
    this.#version += 1;
    const kind = random.below(this.rows.length > 9 ? 5 : 4);
    if (kind === 0 || this.rows.length < 3) return this.#enter();
    const row = random.pick(this.rows);
    const others = this.rows.filter((other) => other !== row);
    this.rows = kind < 3 ? this.rows.map((other) => (other === row ? this.#made(row.id) : other)) : others;
    return row.id;
  }

  /** Changes what somebody may see. */
  permit(random: Random): void {
    this.#version += 1;
    const user = random.pick(this.users);
    const { id } = random.pick(this.rows);
    const kind = random.below(14);
    if (kind < 2) user.hidden.add(id);
    else if (kind < 4) user.hidden.clear();
    else if (kind < 5) user.shown.add(this.rows.find(isSecret)?.id ?? 4);
    else if (kind < 6) user.shown.clear();
    else if (kind < 7) user.refusal = random.pick([401, 403, 404, 302, 429, 503] as const);
    else if (kind < 10) user.tenant = random.pick(["t0", "t1"]);
    else if (kind < 12) this.#mood = random.below(moods.length);
    else if (kind < 13) this.banned.has("10.0.0.2") ? this.banned.clear() : this.banned.add("10.0.0.2");
    else user.refusal = undefined;
    if (random.chance(0.5)) random.pick(this.users).refusal = undefined;
    if (random.chance(0.1)) this.isTerse = !this.isTerse;
  }

  /** The user who a request's fields name. */
  userOf(fields: readonly Field[]): User | undefined {
    for (const name of ["authorization", "cookie", "x-api-key"]) {
      const value = fieldValue(fields, name);
      if (value !== undefined) return this.users.find(({ name: user }) => value.endsWith(user));
    }
    return undefined;
  }

  /** The app's `viewer` option. */
  readonly viewer = ({ target, fields }: OriginRequest): string | undefined => {
    return targets[target] === "tenant" ? this.userOf(fields)?.tenant : undefined;
  };

  readonly origin = async (request: OriginRequest): Promise<OriginResponse> => {
    const { target, fields, peer } = request;
    const who = whoIs(fields, peer);
    const user = this.userOf(fields);
    const full = this.#answer(request, user);
    const etag = fieldValue(full.fields, "etag");
    const isKnown = etag !== undefined && fieldValue(fields, "if-none-match") === etag;
    const said = this.isTerse ? [] : full.fields;
    const response = isKnown && full.status === 200 ? { status: 304, fields: said, body: "" } : full;
    const sharedBy = full.status === 200 ? this.#sharedBy(request, full, user) : undefined;
    const waitMs = this.latencyMs();
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, waitMs));
    this.given.push({ at: this.#clock.now(), who, target, status: full.status, body: String(full.body), sharedBy });
    return response;
  };

  /** Who may be shown an answer by the app's word, as one who reads RFC 9111 by hand would say it. */
  #sharedBy({ target, fields }: OriginRequest, answer: OriginResponse, user: User | undefined): string | undefined {
    if (targets[target] === "tenant") return user?.tenant;
    const word = fieldValue(answer.fields, "cache-control") ?? "";
    const vary = fieldValue(answer.fields, "vary");
    if (word !== "public" && !word.startsWith("s-maxage=5")) return undefined;
    if (vary === "*" || fieldValue(answer.fields, "set-cookie") !== undefined) return undefined;
    return `all ${vary ?? ""} ${vary === undefined ? "" : (fieldValue(fields, vary) ?? "")}`;
  }

  #made(id: number): Row {
    return { id, v: `v${this.#version}` };
  }

  #enter(): number {
    const id = this.#nextId++;
    this.rows = [...this.rows, this.#made(id)];
    return id;
  }

  #answer({ target, fields, peer }: OriginRequest, user: User | undefined): OriginResponse {
    const kind = targets[target];
    const refusal = this.isDown ? 503 : user?.refusal;
    if (refusal === 302) return { status: 302, fields: [["Location", "/login"]], body: "" };
    if (refusal !== undefined) return problemResponse(createProblem(refusal, `Not for ${user?.name ?? "anonymous"}.`));
    if (this.banned.has(String(peer))) return problemResponse(createProblem(403, `Not from ${String(peer)}.`));
    const isForAll =
      kind === "public" || kind === "language" || kind === "flux" || kind === "guest" || kind === "inert";
    if (!user && !isForAll) return problemResponse(createProblem(401, "Who are you?"));
    return this.#document(target, fields, peer, user);
  }

  #document(target: string, fields: readonly Field[], peer: unknown, user: User | undefined): OriginResponse {
    const kind = targets[target] ?? "private";
    const name = user?.name ?? "anonymous";
    const isSeen = (row: Row): boolean =>
      (isSecret(row) ? user?.shown.has(row.id) : !user?.hidden.has(row.id)) === true;
    const own = (marks: object): object[] => this.rows.filter(isSeen).map((row) => ({ ...row, ...marks }));
    const open = this.rows.filter((row) => !isSecret(row));
    const answer = (rows: readonly object[], ...more: readonly Field[]): OriginResponse => {
      const body = JSON.stringify(rows);
      const head: Field[] = [
        ["Content-Type", "application/json"],
        ["X-User", name],
        ["ETag", entityTag(name, body)],
      ];
      return { status: 200, fields: [...head, ...more], body };
    };
    const isPublic: Field = ["Cache-Control", "public"];
    if (kind === "public" || kind === "csrf") return answer(open, isPublic, ["X-Csrf-Token", name]);
    if (kind === "flux") {
      const mood = moods[this.#mood] ?? [];
      const isShared = mood.some(([, value]) => value === "public" || value.startsWith("s-maxage"));
      const marks = mood.length > 1 || !isShared ? { for: name, by: fieldValue(fields, "user-agent") } : {};
      return answer(mood[1]?.[1] === "User-Agent" ? open : open.map((row) => ({ ...row, ...marks })), ...mood);
    }
    if (kind === "language") {
      const language = fieldValue(fields, "accept-language") ?? "none";
      return answer(
        open.map((row) => ({ ...row, language })),
        isPublic,
        ["Vary", "Accept-Language"],
      );
    }
    if (kind === "guest") {
      this.#guests += 1;
      return answer([...open, { id: 0, guest: this.#guests }], ["Cache-Control", "private"]);
    }
    if (kind === "inert") {
      const marks = { by: fieldValue(fields, "user-agent"), from: fieldValue(fields, "x-forwarded-for") };
      return answer(own({ ...marks, for: name }));
    }
    if (kind === "address") return answer(own({ from: String(peer) }));
    // To both the same for most of the time: who comes to the other one is answered 304.
    const isOf = (row: Row): boolean => user?.tenant === "t0" || Number(row.v.slice(1)) % 17 > 0;
    if (kind === "tenant") return answer(open.filter(isOf));
    if (kind === "star") return answer(own({ for: name, by: fieldValue(fields, "user-agent") }), ["Vary", "*"]);
    if (kind === "cookie") return answer(own({ for: name }), ["Set-Cookie", `seen=${name}`]);
    if (kind === "record") {
      const row = this.rows.find(({ id }) => target === `/record/${id}`);
      if (!row || !isSeen(row)) return problemResponse(createProblem(404, "There is no such record."));
      const body = JSON.stringify({ ...row, for: name });
      return {
        status: 200,
        fields: [
          ["Content-Type", "application/json"],
          ["ETag", entityTag(name, body)],
        ],
        body,
      };
    }
    return kind === "marked" ? answer(own({ for: name }), ["Cache-Control", "private"]) : answer(own({ for: name }));
  }
}
