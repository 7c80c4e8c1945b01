import { type Client, createClient } from "../client/index.ts";
import { counted } from "./counted.ts";
import { button, element, fill, OncePerFrame } from "./dom.ts";
import type { Facts } from "./facts.ts";
import { Announcer } from "./panes/announcer.ts";
import { FirstSteps } from "./panes/first-steps.ts";
import { type ForeignWrite, ForeignWriteDialog } from "./panes/foreign-write.ts";
import { NothingPane } from "./panes/nothing-pane.ts";
import { RowsPane } from "./panes/rows-pane.ts";
import { SideBar, sideBarToggle } from "./panes/side-bar.ts";
import { Session } from "./panes/sign-in.ts";
import { createSplitter } from "./panes/splitter.ts";
import { StatePane } from "./panes/state-pane.ts";
import { TopBar } from "./panes/top-bar.ts";
import { type Place, Places } from "./place.ts";
import type { Row } from "./rows/row-source.ts";
import { readSchema, type Schema } from "./schema.ts";
import { type SnippetPlace, snippetsOf } from "./snippets.ts";
import { suggestChange } from "./suggest-change.ts";
import { Effects } from "./wire/effects.ts";
import type { Entry, NewEntry } from "./wire/entry.ts";
import { WireLog } from "./wire/log.ts";
import { WirePane } from "./wire/pane.ts";
import { Tap } from "./wire/tap.ts";

/** How often it is asked whether there is a table where there was none, in milliseconds. */
const lookMs = 3_000;
/** So often at most it is asked whether lists that come as a whole have other columns, in milliseconds. */
const wholeMs = 1_000;

/** The page: what is where, and who tells whom. */
export class App {
  readonly #facts: Facts;
  readonly #places: Places;
  readonly #log: WireLog = new WireLog();
  readonly #effects: Effects = new Effects();
  readonly #announcer: Announcer = new Announcer();
  readonly #tap: Tap = new Tap((entry) => this.#hear(entry));
  readonly #session: Session;
  readonly #signIn: HTMLButtonElement;
  readonly #rows: RowsPane;
  readonly #nothing: NothingPane = new NothingPane();
  readonly #wire: WirePane;
  readonly #state: StatePane;
  readonly #steps: FirstSteps = new FirstSteps(() => this.#writeForeign());
  readonly #settle: OncePerFrame = new OncePerFrame(() => this.#settled());
  readonly #client: Client;
  readonly #side: SideBar;
  readonly #top: TopBar;
  #schema: Schema | undefined;
  #canSignIn = false;
  /** Whether nothing is told to who has not signed in. */
  #isRefused = false;
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
    // Whoever looks then sees nothing of what others were shown.
    this.#session = new Session(facts.base, () => location.reload());
    this.#places = new Places(facts, () => this.#show());
    this.#client = this.#createClient();
    this.#signIn = button("Sign in", () => this.#signInOrOut());
    this.#rows = new RowsPane({
      client: this.#client,
      places: this.#places,
      announcer: this.#announcer,
      snippets: (target) => snippetsOf(this.#placeOf(target)),
      onRows: () => this.#settle.ask(),
      onSignedOut: (detail) => this.#endSession(detail),
    });
    this.#wire = new WirePane(this.#log, this.#tap, () => this.#writeForeign());
    this.#side = new SideBar(this.#client, this.#places);
    this.#top = new TopBar(sideBarToggle(this.#side.element), this.#signIn);
    this.#state = new StatePane(
      () => fetch(`${facts.base}/.well-known/rocket/inspector/state`),
      (url) => this.#moved(url),
    );
    const main = element(
      "main",
      { class: "main" },
      this.#steps.element,
      this.#rows.element,
      this.#state.element,
      this.#nothing.element,
      createSplitter(),
      this.#wire.element,
    );
    fill(document.body, this.#top.element, this.#side.element, main, this.#announcer.element);
    setInterval(() => this.#showTop(), 1_000);
    setInterval(() => this.#schema?.collections.length === 0 && void this.#lookForTables(), lookMs);
    document.addEventListener("visibilitychange", () => void this.#lookForTables());
  }

  /** Asks the server what there is, and shows it. */
  async start(): Promise<void> {
    if (this.#facts.hasState) this.#state.begin();
    if (this.#facts.hasAccounts) await this.#session.look();
    await this.#readSchema();
    this.#show();
  }

  #createClient(): Client {
    const { fetch, WebSocket } = this.#tap;
    const { base } = this.#facts;
    const token = (): string | undefined => this.#session.token;
    return createClient(location.origin + base, {
      fetch,
      WebSocket,
      ...(this.#session.token !== undefined && { token }),
      onError: (error, { stage }) => {
        if (stage === "callback") console.error(error);
      },
    });
  }

  async #readSchema(): Promise<void> {
    try {
      const schema = await readSchema(this.#client, this.#facts.base);
      const refusal = typeof schema === "object" && "refusal" in schema ? schema.refusal : undefined;
      this.#schema = typeof schema === "string" || "refusal" in schema ? undefined : schema;
      this.#isRefused = refusal !== undefined;
      const isNobody = refusal !== undefined || this.#schema?.anonymous === true;
      this.#canSignIn = isNobody || this.#session.name !== undefined;
      // Who has none is not told that it is refused.
      if (refusal !== undefined) this.#askToken(this.#session.token === undefined ? "" : refusal);
    } catch {
      // What is known is better than nothing.
    }
  }

  #show(): void {
    const place = this.#placeToShow();
    this.#side.show(this.#schema, place, this.#facts.hasState === true, this.#isRefused);
    const isState = place.view === "state";
    const isNothing = place.path === "" && !isState;
    this.#rows.element.hidden = isState || isNothing;
    this.#nothing.element.hidden = !isNothing;
    if (isNothing) this.#sayNothing();
    this.#state.element.hidden = !isState;
    if (isState) void this.#state.look();
    if (place.path !== "") this.#rows.show(place, this.#schema);
    this.#effects.watch(this.#rows.source);
    this.#showTop();
    this.#showSteps();
    document.title = `${this.#rows.info?.name ?? "Rocket"} · ${this.#name}`;
  }

  #sayNothing(): void {
    const { shell } = this.#facts;
    if (this.#schema) {
      const command = shell && `${shell} "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"`;
      this.#nothing.show("There is no table to show yet. Make one, and it appears here.", command);
    } else if (this.#canSignIn) this.#nothing.show("Sign in to see what is here.");
    else this.#nothing.show("Name a URL in the list of URLs, and follow it.");
  }

  /** Where there is no table, there may be one soon; and whoever comes back may have made one, or changed it. */
  async #lookForTables(): Promise<void> {
    if (!this.#schema || document.visibilityState !== "visible") return;
    const before = this.#schema;
    await this.#readSchema();
    if (JSON.stringify(this.#schema) === JSON.stringify(before)) this.#schema = before;
    else this.#show();
  }

  #lookAgain(): void {
    this.#looking = undefined;
    void this.#lookForTables();
  }

  /** A record's URL shows its collection, and that record alone. */
  #placeToShow(): Place {
    const place = this.#places.current;
    const collections = this.#schema?.collections ?? [];
    if (place.path === "" && place.view === "rows") {
      const [first] = collections;
      if (first) return { view: "rows", path: first.url, query: "" };
      return place;
    }
    const at = place.path.lastIndexOf("/");
    const parent = collections.find(({ url }) => url === place.path.slice(0, at));
    if (!parent || collections.some(({ url }) => url === place.path)) return place;
    const parts = place.path.slice(at + 1).split(",");
    const query = parent.key.map((name, index) => `${encodeURIComponent(name)}=eq.${parts[index] ?? ""}`).join("&");
    return { view: "rows", path: parent.url, query };
  }

  get #name(): string {
    return this.#facts.name ?? location.host;
  }

  #showTop(): void {
    const { source } = this.#rows;
    const { name } = this.#session;
    this.#signIn.hidden = !this.#canSignIn;
    this.#signIn.textContent = name === undefined ? "Sign in" : `Sign out ${name}`.trim();
    this.#top.show({
      name: this.#name,
      collections: this.#schema?.collections.length,
      following: source?.followed ?? 0,
      changesPerMinute: this.#log.changesPerMinute,
      status: source?.status,
    });
  }

  #hear(entry: NewEntry): void {
    const added = this.#log.add(entry);
    this.#effects.note(added);
    if (added.position !== undefined) this.#setLatency(added);
    // A list that comes as a whole unasked may have other columns.
    if (entry.isWhole) this.#looking ??= setTimeout(() => this.#lookAgain(), wholeMs);
    if (added.isChange && added.status !== 202) this.#moved(added.url);
    this.#settle.ask();
  }

  #moved(url: string): void {
    this.#side.changed(url);
    this.#rows.source?.moved(url);
  }

  /** The time between the answer to a write and the message that tells it, whichever came first. */
  #setLatency(entry: Entry): void {
    const { kind, position, moment } = entry;
    const answeredAt = this.#tap.answeredAt(position ?? "");
    if (answeredAt === undefined) return;
    if (entry.isChange) entry.sinceAnswerMs = moment - answeredAt;
    if (kind !== "http") return;
    for (const other of this.#log.entries.slice(-50)) {
      if (!other.isChange || other.position !== position) continue;
      other.sinceAnswerMs ??= other.moment - answeredAt;
    }
  }

  #settled(): void {
    const changed = this.#effects.settle();
    this.#wire.refresh();
    this.#showTop();
    this.#showSteps();
    if (changed.length === 0) return;
    const [first] = changed;
    this.#announcer.say(changed.length === 1 ? `${first?.url} ${first?.effect}` : counted(changed.length, "change"));
    if (first) this.#steps.changed(first.url, first.sinceAnswerMs);
  }

  #placeOf(target: string): SnippetPlace {
    const { base, command } = this.#facts;
    const { email } = this.#session;
    const needsToken = this.#canSignIn && this.#schema?.anonymous !== true;
    const signIn = email === undefined ? (needsToken ? "token" : "none") : { email };
    return { origin: location.origin, base, target, command, signIn };
  }

  /** Who comes next is not to see what was shown. */
  #endSession(detail: string): void {
    if (this.#session.name !== undefined) {
      this.#log.clear();
      this.#steps.element.hidden = true;
      this.#session.forget();
    }
    this.#askToken(detail);
  }

  #askToken(detail: string): void {
    this.#canSignIn = true;
    this.#showTop();
    if (!document.querySelector("dialog[open]")) void this.#session.ask(detail);
  }

  #signInOrOut(): void {
    if (this.#session.name === undefined) void this.#session.ask("");
    else void this.#session.signOut();
  }

  get #suggestion(): ForeignWrite | undefined {
    const { info, source } = this.#rows;
    const found = source?.known().next().value as readonly [number, Row] | undefined;
    const url = found && source?.urlOf(found[1]);
    if (!info || !found || url === undefined) return undefined;
    return suggestChange(info, found[1], url, this.#facts.shell);
  }

  #showSteps(): void {
    const { info } = this.#rows;
    const suggestion = this.#suggestion;
    if (!info || !suggestion) return;
    this.#steps.show({ shell: suggestion.shell, canWrite: info.methods.record.includes("PATCH") });
  }

  #writeForeign(): void {
    const path = this.#rows.info?.url ?? "/";
    const suggestion = this.#suggestion ?? { method: "POST", target: path, body: "{}" };
    new ForeignWriteDialog(suggestion, {
      placeOf: (one) => this.#placeOf(one),
      send: (method, target, body) => {
        const { token } = this.#session;
        const headers = {
          "Content-Type": "application/json",
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        };
        return this.#tap.fetch(target, { method, headers, ...(body !== "" && { body }) });
      },
    });
  }
}
