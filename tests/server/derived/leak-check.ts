import { fieldValue } from "../../../src/protocol/index.ts";
import type { Given, LeakApp } from "./leak-app.ts";
import type { Sent } from "./leak-peer.ts";

/** How long a joined viewer may see what others of its kind see without an answer of its own. */
export interface Times {
  readonly refreshMs: number;
  /** What an answer takes at most, and a look that is due. */
  readonly slackMs: number;
}

function has({ body }: Given, text: string, isWhole: boolean): boolean {
  return isWhole ? body === text : body.includes(text);
}

/** Judges what is written to viewers by the answers that they, and those with whom they share, were given. */
export class LeakCheck {
  readonly found: string[] = [];
  readonly counts: { own: number; shared: number; gone: number; refused: number } = {
    own: 0,
    shared: 0,
    gone: 0,
    refused: 0,
  };
  readonly #app: LeakApp;
  readonly #now: () => number;
  readonly #times: Times;
  readonly #byTarget: Map<string, Given[]> = new Map();
  readonly #last: Map<string, Given[]> = new Map();
  #seen = 0;

  constructor(app: LeakApp, now: () => number, times: Times) {
    this.#app = app;
    this.#now = now;
    this.#times = times;
  }

  check({ who, target, message, known, fields }: Sent): void {
    this.#take();
    const { status, body } = message;
    const text = String(body);
    const user = fieldValue(message.fields, "x-user");
    const own = this.#app.userOf(fields)?.name ?? "anonymous";
    const says = `${status} at ${target} for ${own} at ${this.#now()}: ${text}`;
    if (user !== undefined && user !== own) this.found.push(`a field of ${user}'s: ${says}`);
    if (status === 204) {
      const url = fieldValue(message.fields, "content-location");
      if (url === undefined) return;
      this.counts.gone += 1;
      if (!known.has(url) && !this.#wasOwn(who, target, url))
        this.found.push(`the end of what was never shown, ${url}: ${says}`);
    } else if (status === 200 || status === 201 || status === 202) {
      const fault = this.#faultOf(who, target, text, status === 200);
      if (fault !== undefined) this.found.push(`${fault}: ${says}`);
    } else if (status >= 400) {
      this.counts.refused += 1;
      if (text.includes("Not for ") && !text.includes(`Not for ${own}.`)) this.found.push(`another's refusal: ${says}`);
    }
  }

  /** Whether an answer of its own had a record: one who resumes was shown it on another connection. */
  #wasOwn(who: string, target: string, url: string): boolean {
    const record = `"id":${url.split("/").at(-1)},`;
    return (this.#last.get(`${target} ${who}`) ?? []).some(({ body }) => body.includes(record));
  }

  /** What is wrong with showing this; `undefined` where nothing is. */
  #faultOf(who: string, target: string, text: string, isWhole: boolean): string | undefined {
    const now = this.#now();
    const { refreshMs, slackMs } = this.#times;
    const answers = this.#last.get(`${target} ${who}`) ?? [];
    const documents = answers.filter(({ status }) => status !== 503);
    const last = documents.at(-1);
    if (!last) return "nothing that was asked for";
    // Two GETs of one viewer may be under way at once.
    const recent = documents.filter((given, at) => given === last || (documents[at + 1]?.at ?? 0) >= now - slackMs);
    if (recent.some((given) => given.status === 200 && has(given, text, isWhole))) {
      this.counts.own += 1;
      return undefined;
    }
    const oldest = now - refreshMs - slackMs;
    const valid = documents.findLast(({ status, sharedBy }) => status === 200 && sharedBy !== undefined);
    if (!valid) return "not what its own GET returned";
    if (valid.at < oldest) return "shared, and no longer what its own GET returns";
    const peers = (this.#byTarget.get(target) ?? []).filter(({ at, sharedBy, status }) => {
      return at >= oldest - refreshMs && status === 200 && sharedBy === valid.sharedBy;
    });
    // By its name it belongs to others where they were given the same.
    const isMember =
      valid.sharedBy?.startsWith("public ") || peers.some((given) => given.who !== who && given.body === valid.body);
    if (!isMember) return "not what its own GET returned, and nobody else's either";
    const shown = peers.filter((given) => given.at >= oldest && has(given, text, isWhole));
    const isShared =
      valid.sharedBy?.startsWith("public ") ||
      shown.some((one) => shown.some((other) => other.who !== one.who && other.body === one.body));
    if (!isShared) return "what only one of those who share was given";
    this.counts.shared += 1;
    return undefined;
  }

  #take(): void {
    const { given } = this.#app;
    for (; this.#seen < given.length; this.#seen += 1) {
      const answer = given[this.#seen] as Given;
      const key = `${answer.target} ${answer.who}`;
      this.#put(this.#byTarget, answer.target, answer);
      this.#put(this.#last, key, answer);
    }
  }

  #put(map: Map<string, Given[]>, key: string, answer: Given): void {
    const list = map.get(key);
    if (!list) map.set(key, [answer]);
    else {
      list.push(answer);
      if (list.length > 2_000) list.splice(0, 1_000);
    }
  }
}
