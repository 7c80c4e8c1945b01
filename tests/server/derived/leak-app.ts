import { createProblem, type Field, fieldValue, problemResponse } from "../../../src/protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../../src/server/index.ts";
import type { Random } from "../../../src/testing/index.ts";

/** How a resource answers: to whom what, and what it says of sharing. */
export type Kind = "private" | "marked" | "cookie" | "star" | "language" | "public" | "tenant" | "moody" | "record";

export const targets: Readonly<Record<string, Kind>> = {
  "/private": "private",
  "/marked": "marked",
  "/cookie": "cookie",
  "/star": "star",
  "/language": "language",
  "/public": "public",
  "/tenant": "tenant",
  "/moody": "moody",
  "/record/1": "record",
  "/record/2": "record",
};

export type Refusal = 401 | 403 | 404 | 302 | 503;

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

/** What the app sees of who asks. */
export function whoIs(target: string, fields: readonly Field[]): string {
  const names = ["authorization", "cookie", "x-api-key"];
  if (targets[target] === "language") names.push("accept-language");
  if (targets[target] === "star") names.push("user-agent");
  return names.map((name) => fieldValue(fields, name) ?? "").join("|");
}

/** An app in which everybody may see something else, and that changes. */
export class LeakApp {
  readonly users: readonly User[];
  readonly given: Given[] = [];
  rows: Row[] = [];
  isDown = false;
  isMoodPublic = true;
  latencyMs: () => number = () => 0;
  readonly #clock: Clock;
  #version = 1;
  #nextId = 1;

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
    const kind = random.below(10);
    if (kind < 2) user.hidden.add(id);
    else if (kind < 4) user.hidden.clear();
    else if (kind < 5) user.shown.add(this.rows.find(isSecret)?.id ?? 4);
    else if (kind < 6) user.shown.clear();
    else if (kind < 7) user.refusal = random.pick([401, 403, 404, 302, 503] as const);
    else if (kind < 8) user.tenant = random.pick(["t0", "t1"]);
    else if (kind < 9) this.isMoodPublic = !this.isMoodPublic;
    else user.refusal = undefined;
    if (random.chance(0.5)) random.pick(this.users).refusal = undefined;
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
    const { target, fields } = request;
    const user = this.userOf(fields);
    const full = this.#answer(target, fields, user);
    const etag = fieldValue(full.fields, "etag");
    const isKnown = etag !== undefined && fieldValue(fields, "if-none-match") === etag;
    const response = isKnown && full.status === 200 ? { status: 304, fields: full.fields, body: "" } : full;
    const isPublic = fieldValue(full.fields, "cache-control") === "public";
    const language = fieldValue(fields, "accept-language") ?? "";
    const shared = targets[target] === "tenant" ? user?.tenant : isPublic ? `public ${language}` : undefined;
    const waitMs = this.latencyMs();
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, waitMs));
    const at = this.#clock.now();
    const who = whoIs(target, fields);
    this.given.push({ at, who, target, status: full.status, body: String(full.body), sharedBy: shared });
    return response;
  };

  #made(id: number): Row {
    return { id, v: `v${this.#version}` };
  }

  #enter(): number {
    const id = this.#nextId++;
    this.rows = [...this.rows, this.#made(id)];
    return id;
  }

  #answer(target: string, fields: readonly Field[], user: User | undefined): OriginResponse {
    const kind = targets[target];
    const refusal = this.isDown ? 503 : user?.refusal;
    if (refusal === 302) return { status: 302, fields: [["Location", "/login"]], body: "" };
    if (refusal !== undefined) return problemResponse(createProblem(refusal, `Not for ${user?.name ?? "anonymous"}.`));
    if (!user && kind !== "public" && kind !== "language" && kind !== "moody") {
      return problemResponse(createProblem(401, "Who are you?"));
    }
    return this.#document(target, fields, user);
  }

  #document(target: string, fields: readonly Field[], user: User | undefined): OriginResponse {
    const kind = targets[target] ?? "private";
    const name = user?.name ?? "anonymous";
    const head: Field[] = [
      ["Content-Type", "application/json"],
      ["X-User", name],
    ];
    const isSeen = (row: Row): boolean =>
      (isSecret(row) ? user?.shown.has(row.id) : !user?.hidden.has(row.id)) === true;
    const marked = (marks: object) => this.rows.filter(isSeen).map((row) => ({ ...row, ...marks }));
    const answer = (rows: readonly object[], more: readonly Field[]): OriginResponse => {
      return { status: 200, fields: [...head, ...more], body: JSON.stringify(rows) };
    };
    const open = this.rows.filter((row) => !isSecret(row));
    const isOpen = kind === "moody" && this.isMoodPublic;
    if (kind === "public" || isOpen) return answer(open, [["Cache-Control", "public"]]);
    if (kind === "language") {
      const language = fieldValue(fields, "accept-language") ?? "none";
      const more: Field[] = [
        ["Cache-Control", "public"],
        ["Vary", "Accept-Language"],
      ];
      return answer(
        open.map((row) => ({ ...row, language })),
        more,
      );
    }
    if (kind === "tenant") return answer(marked({ tenant: user?.tenant }), [["ETag", `"${this.#version}"`]]);
    if (kind === "star") return answer(marked({ for: name, by: fieldValue(fields, "user-agent") }), [["Vary", "*"]]);
    if (kind === "cookie") return answer(marked({ for: name }), [["Set-Cookie", `seen=${name}`]]);
    if (kind === "record") {
      const row = this.rows.find(({ id }) => target === `/record/${id}`);
      if (!row || !isSeen(row)) return problemResponse(createProblem(404, "There is no such record."));
      return { status: 200, fields: head, body: JSON.stringify({ ...row, for: name }) };
    }
    return answer(marked({ for: name }), kind === "private" ? [] : [["Cache-Control", "private"]]);
  }
}
