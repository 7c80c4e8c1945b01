import { fieldValue } from "../../../src/protocol/index.ts";
import type { Given, LeakApp } from "./leak-app.ts";
import type { Sent } from "./leak-peer.ts";

/** How long a viewer may be shown what others are given of a view that is declared for several. */
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
  readonly #byViewer: Map<string, Given[]> = new Map();
  /** To which connection an answer went that was for one request of somebody unknown. */
  readonly #guests: Map<string, unknown> = new Map();
  #seen = 0;

  constructor(app: LeakApp, now: () => number, times: Times) {
    this.#app = app;
    this.#now = now;
    this.#times = times;
  }

  check(sent: Sent): void {
    this.#take();
    const { who, target, message, known, fields } = sent;
    const { status, body } = message;
    const text = String(body);
    const own = this.#app.userOf(fields)?.name ?? "anonymous";
    const says = `${status} at ${target} for ${own} (${who}) at ${this.#now()}: ${text}`;
    for (const name of ["x-user", "x-csrf-token"]) {
      const value = fieldValue(message.fields, name);
      if (value !== undefined && value !== own) this.found.push(`a field of ${value}'s: ${says}`);
    }
    if (status === 204) {
      const url = fieldValue(message.fields, "content-location");
      if (url === undefined) return;
      this.counts.gone += 1;
      if (!known.has(url.replace("#", "/")) && !this.#wasOwn(who, target, url))
        this.found.push(`the end of what was never shown, ${url}: ${says}`);
    } else if (status === 200 || status === 201 || status === 202) {
      const fault = this.#faultOf(who, target, text, status === 200) ?? this.#guestFaultOf(sent, own, text);
      if (fault !== undefined) this.found.push(`${fault}: ${says}`);
    } else if (status >= 400) {
      this.counts.refused += 1;
      if (text.includes("Not for ") && !text.includes(`Not for ${own}.`)) this.found.push(`another's refusal: ${says}`);
      if (text.includes("Not from ") && !text.includes(who.split("|").at(-1) ?? ""))
        this.found.push(`another address's refusal: ${says}`);
    }
  }

  /** Whether an answer of its own had a record: one who resumes was shown it on another connection. */
  #wasOwn(who: string, target: string, url: string): boolean {
    const record = `"id":${url.split(/[/#]/).at(-1)},`;
    return (this.#byViewer.get(`${target} ${who}`) ?? []).some(({ body }) => body.includes(record));
  }

  #guestFaultOf({ peer }: Sent, own: string, text: string): string | undefined {
    const guest = own === "anonymous" ? /"guest":(\d+)/.exec(text)?.[1] : undefined;
    if (guest === undefined) return undefined;
    const first = this.#guests.get(guest) ?? peer;
    this.#guests.set(guest, first);
    return first === peer ? undefined : "what was answered to one request, on another connection";
  }

  /** What is wrong with showing this; `undefined` where nothing is. */
  #faultOf(who: string, target: string, text: string, isWhole: boolean): string | undefined {
    const now = this.#now();
    const { refreshMs, slackMs } = this.#times;
    const answers = this.#byViewer.get(`${target} ${who}`) ?? [];
    const documents = answers.filter(({ status }) => status !== 503 && status !== 429);
    const last = documents.at(-1);
    if (!last) return "nothing that was asked for";
    // Two GETs of one viewer may be under way at once.
    const recent = documents.filter((given, at) => given === last || (documents[at + 1]?.at ?? 0) >= now - slackMs);
    if (recent.some((given) => given.status === 200 && has(given, text, isWhole))) {
      this.counts.own += 1;
      return undefined;
    }
    const oldest = now - refreshMs - slackMs;
    const declared = recent.filter(
      ({ status, sharedBy, at }) => status === 200 && sharedBy !== undefined && at >= oldest,
    );
    if (declared.length === 0) return "not what its own GET returned, nor declared for it";
    const isGiven = (this.#byTarget.get(target) ?? []).some((given) => {
      const isOf = declared.some(({ sharedBy }) => sharedBy === given.sharedBy);
      return isOf && given.at >= oldest - refreshMs && given.status === 200 && has(given, text, isWhole);
    });
    if (!isGiven) return "not what anybody was given for whom it is declared";
    this.counts.shared += 1;
    return undefined;
  }

  #take(): void {
    const { given } = this.#app;
    for (; this.#seen < given.length; this.#seen += 1) {
      const answer = given[this.#seen] as Given;
      this.#put(this.#byTarget, answer.target, answer);
      this.#put(this.#byViewer, `${answer.target} ${answer.who}`, answer);
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
