import { type Flaw, fieldOf, jsonOf, type Message } from "../wire/messages.ts";
import { parseItemsField, parseOrder } from "./items.ts";

const level0Forms: Readonly<Record<number, RegExp>> = {
  201: /^HTTP\/1\.1 201 Created\r\nContent-Type: [^\r\n]+\r\nContent-Location: [^\r\n]+\r\n/,
  202: /^HTTP\/1\.1 202 Accepted\r\nContent-Type: [^\r\n]+\r\nContent-Location: [^\r\n]+\r\n/,
  204: /^HTTP\/1\.1 204 No Content\r\nContent-Type: application\/json\r\nContent-Location: [^\r\n]+\r\n/,
};
const hopByHop = new Set(["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"]);

/** What every single message must be like, whatever it says. */
function formFlaws(message: Message): Flaw[] {
  const flaws: Flaw[] = [];
  const flaw = (requirement: string, what: string) => flaws.push({ requirement, what });
  const eventId = fieldOf(message, "event-id");
  if (eventId !== undefined && !/^[A-Za-z0-9._~:-]{1,128}$/.test(eventId)) {
    flaw("R-POS-1", `An Event-ID is ${JSON.stringify(eventId)}.`);
  }
  if (eventId?.startsWith("d-") && !/^d-[A-Za-z0-9._~-]+$/.test(eventId)) {
    flaw("R-POS-8", `The position of a derived view is ${eventId}.`);
  }
  const etag = fieldOf(message, "etag");
  if (etag !== undefined && !/^(?:W\/)?"[!#-~\x80-\xff]*"$/.test(etag)) flaw("R-FLD-7", `An ETag is ${etag}.`);
  const items = fieldOf(message, "items");
  if (items !== undefined) for (const what of itemsFlaws(items)) flaw("R-FLD-2", what);
  const order = fieldOf(message, "item-order");
  if (order !== undefined && !parseOrder(order)) flaw("R-FLD-5", `Item-Order is ${JSON.stringify(order)}.`);
  const index = fieldOf(message, "item-index");
  if (index !== undefined && !/^(?:0|[1-9][0-9]*)$/.test(index)) flaw("R-FLD-10", `An Item-Index is ${index}.`);
  return flaws;
}

function itemsFlaws(items: string): string[] {
  const parsed = parseItemsField(items);
  if (!parsed) return [`Items is no dictionary of strings: ${JSON.stringify(items)}.`];
  const hasRows = parsed.url !== undefined || parsed.link !== undefined;
  const wrong = [parsed.list, parsed.record, parsed.link].some(
    (pointer) => pointer !== undefined && !/^(?:\/|$)/.test(pointer),
  );
  if (wrong) return [`Items has a pointer that does not begin with a slash: ${JSON.stringify(items)}.`];
  return parsed.list !== undefined && !hasRows
    ? [`Items has list, but neither url nor link: ${JSON.stringify(items)}.`]
    : [];
}

function problemFlaws(message: Message): Flaw[] {
  if (message.status < 400) return [];
  const problem = jsonOf(message) as Record<string, unknown> | null | undefined;
  const type = fieldOf(message, "content-type") ?? "";
  const hasTexts = ["type", "title", "detail"].every((name) => typeof problem?.[name] === "string");
  if (/^application\/problem\+json(?:;|$)/i.test(type) && hasTexts && problem?.status === message.status) return [];
  return [{ requirement: "R-SUB-11", what: `A ${message.status} is no problem document with that status.` }];
}

function secretFlaws(message: Message): Flaw[] {
  const isAnswer = fieldOf(message, "request-id") !== undefined;
  return message.fields.flatMap(([name]) => {
    const lower = name.toLowerCase();
    if (lower === "set-cookie")
      return [{ requirement: isAnswer ? "R-BAND-10" : "R-SUB-6", what: "A message has Set-Cookie." }];
    return hopByHop.has(lower) ? [{ requirement: "R-SUB-6", what: `A message has ${name}.` }] : [];
  });
}

/** Judges what comes on one connection by what holds for every message, in whichever case. */
export class MessageRules {
  readonly #level: 0 | 1;
  readonly #basePath: string;
  /** How often each Request-ID was sent and not answered. */
  readonly #asked: Map<string, number> = new Map();
  /** Those of requests that are as over HTTP: the application's own refusals need be no problems. */
  readonly #plain: Set<string> = new Set();
  /** Subscriptions by their URL, the handshake's by the empty text, and whether they go on. */
  readonly #subscriptions: Map<string, "open" | "ended" | "left"> = new Map();
  /** Whether something was sent whose answer has an empty Request-ID (R-BAND-2). */
  #hasNameless = false;
  #last: Message | undefined;
  #first: Message | undefined;

  constructor(level: 0 | 1, basePath: string) {
    this.#level = level;
    this.#basePath = basePath;
  }

  /** Takes note of a request. */
  sent(text: string): void {
    const id = /^request-id:[ \t]*([^\r\n \t]*)/im.exec(text)?.[1];
    if (id !== undefined && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(id) && !this.#asked.get(id)) {
      this.#asked.set(id, 1);
      if (/^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /.test(text)) this.#plain.add(id);
    } else this.#hasNameless = true;
  }

  /** What is wrong with a message. */
  came(message: Message): Flaw[] {
    this.#first ??= message;
    this.#last = message;
    if (this.#level === 0) return this.#level0(message);
    const id = fieldOf(message, "request-id");
    const isPlain = id !== undefined && this.#plain.has(id);
    const flaws = [
      ...formFlaws(message),
      ...(isPlain ? [] : problemFlaws(message)),
      ...secretFlaws(message),
      ...this.#placeFlaws(message),
    ];
    return [...flaws, ...(id === undefined ? this.#notification(message) : this.#answer(message, id))];
  }

  /** What is wrong with how the server closes. */
  closed(code: number): Flaw[] {
    const { status = 0 } = this.#last ?? {};
    if (this.#level === 0 || code < 4_300 || code > 4_599 || code === 4_000 + status) return [];
    const opening = status >= 400 ? "R-L1-5" : "R-L1-6";
    const requirement = this.#first === this.#last ? opening : "R-SUB-10";
    return [{ requirement, what: `The last message is a ${status}, and the close code ${code}.` }];
  }

  #level0(message: Message): Flaw[] {
    const form = level0Forms[message.status];
    const isExact = form?.test(message.text) && message.fields.length === 2;
    return isExact ? [] : [{ requirement: "R-L0-2", what: "A message of Level 0 has another form." }];
  }

  #placeFlaws(message: Message): Flaw[] {
    return ["content-location", "subscription"].flatMap((name) => {
      const value = fieldOf(message, name);
      if (value === undefined || (value.startsWith("/") && value.startsWith(`${this.#basePath}/`))) return [];
      return [
        { requirement: "R-WK-5", what: `${name} is ${JSON.stringify(value)}, which is not below ${this.#basePath}/.` },
      ];
    });
  }

  #answer(message: Message, id: string): Flaw[] {
    if (id === "") {
      const isRight = this.#hasNameless && message.status === 400;
      return isRight ? [] : [{ requirement: "R-BAND-2", what: `A ${message.status} has an empty Request-ID.` }];
    }
    const open = this.#asked.get(id) ?? 0;
    this.#asked.set(id, open - 1);
    const subscription = fieldOf(message, "subscription");
    if (subscription !== undefined) {
      const isOpen = message.status === 200 || message.status === 304;
      this.#subscriptions.set(subscription, isOpen ? "open" : message.status === 204 ? "left" : "ended");
    }
    return open > 0
      ? []
      : [{ requirement: "R-BAND-1", what: `An answer has the Request-ID ${id}, which nothing waits for.` }];
  }

  #notification(message: Message): Flaw[] {
    const { status } = message;
    const flaws: Flaw[] = [];
    const flaw = (requirement: string, what: string) => flaws.push({ requirement, what });
    if (status < 300 && ![200, 201, 202, 204].includes(status)) flaw("R-SUB-8", `A notification is a ${status}.`);
    const form = level0Forms[status];
    if (form) {
      if (fieldOf(message, "content-location") === undefined) flaw("R-FLD-1", `A ${status} has no Content-Location.`);
      else if (!form.test(message.text)) flaw("R-L1-4", `A ${status} does not begin with the fields of Level 0.`);
    }
    return [...flaws, ...this.#course(message)];
  }

  /** Where a notification may stand in its subscription. */
  #course(message: Message): Flaw[] {
    const { status } = message;
    const named = fieldOf(message, "subscription");
    const key = named ?? "";
    const state = this.#subscriptions.get(key);
    const isEnd = status >= 300 && status !== 304;
    if (state === "left" || (state === "ended" && status !== 304)) {
      const requirement = state === "left" ? "R-BAND-6" : "R-SUB-10";
      return [{ requirement, what: `A ${status} comes for a subscription that has ended.` }];
    }
    if (state === undefined && named !== undefined) {
      return [{ requirement: "R-BAND-4", what: `A ${status} has the Subscription ${named}, which nobody asked for.` }];
    }
    if (state === undefined && !isEnd && status !== 200 && status !== 304) {
      return [{ requirement: "R-SUB-1", what: `A ${status} comes before the opening.` }];
    }
    this.#subscriptions.set(key, isEnd ? "ended" : "open");
    return [];
  }
}
