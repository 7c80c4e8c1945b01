import { button, copyText, element, fill, OncePerFrame } from "../dom.ts";
import { type Entry, formatLatency, formatTime } from "./entry.ts";
import type { WireLog } from "./log.ts";
import type { Tap } from "./tap.ts";

/** How many entries are in the page at once; all that are kept can be copied. */
const maxShown = 250;

/** The list of what goes over the wire, the latest first, and what can be done to it. */
export class WirePane {
  readonly element: HTMLElement;
  readonly #log: WireLog;
  readonly #tap: Tap;
  readonly #list: HTMLElement = element("div", {
    class: "wire-list",
    role: "list",
    "aria-label": "Messages, the latest first",
  });
  readonly #pause: HTMLButtonElement;
  readonly #offline: HTMLButtonElement;
  readonly #shown: Map<number, { readonly row: HTMLElement; readonly entry: Entry }> = new Map();
  readonly #paint: OncePerFrame = new OncePerFrame(() => this.#show());

  /** @param onWrite - asked to write as another program does */
  constructor(log: WireLog, tap: Tap, onWrite: () => void) {
    this.#log = log;
    this.#tap = tap;
    this.#pause = button("Pause", () => this.#togglePause(), { "aria-pressed": "false" });
    this.#offline = button("Go offline", () => this.#toggleOffline(), { "aria-pressed": "false" });
    const copy = button("Copy all", () => void copyText(log.text));
    const clear = button("Clear", () => log.clear());
    const cut = button("Cut the connection", () => tap.cut());
    const write = button("Write from another program…", onWrite);
    this.element = element(
      "section",
      { class: "wire", "aria-labelledby": "wire-title" },
      element(
        "div",
        { class: "wire-bar bar" },
        element("h2", { id: "wire-title" }, "Wire"),
        element("div", { class: "group" }, this.#pause, copy, clear),
        element("div", { class: "group" }, cut, this.#offline, write),
      ),
      this.#list,
    );
    log.changed.on(() => this.#paint.ask());
    this.#show();
  }

  /** Shows anew what is known of entries: what they did. */
  refresh(): void {
    this.#paint.ask();
  }

  #togglePause(): void {
    this.#log.isPaused = !this.#log.isPaused;
    this.#pause.setAttribute("aria-pressed", String(this.#log.isPaused));
  }

  #toggleOffline(): void {
    this.#tap.isOffline = !this.#tap.isOffline;
    this.#offline.setAttribute("aria-pressed", String(this.#tap.isOffline));
    this.#offline.textContent = this.#tap.isOffline ? "Go online" : "Go offline";
  }

  #show(): void {
    const { waiting, isPaused } = this.#log;
    this.#pause.textContent = isPaused ? `Go on${waiting > 0 ? ` (${waiting})` : ""}` : "Pause";
    const entries = this.#log.entries.slice(-maxShown).reverse();
    const wanted = new Set(entries.map(({ id }) => id));
    for (const [id, { row }] of this.#shown) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#shown.delete(id);
    }
    let next = this.#list.firstChild;
    for (const entry of entries) {
      const known = this.#shown.get(entry.id);
      if (known) {
        this.#update(known.row, entry);
        if (known.row === next) next = next.nextSibling;
        continue;
      }
      const row = this.#make(entry);
      this.#shown.set(entry.id, { row, entry });
      this.#list.insertBefore(row, next);
    }
    this.#list.classList.toggle("is-empty", entries.length === 0);
  }

  #make(entry: Entry): HTMLElement {
    const { kind, start, status, url, position } = entry;
    const sign = { in: "↓", out: "↑", http: "⇄", note: "•" }[kind];
    const says = { in: "received", out: "sent", http: "over HTTP", note: "happened" }[kind];
    const summary = element(
      "summary",
      { class: "wire-line" },
      element("time", {}, formatTime(entry.time)),
      element("span", { class: "wire-sign", role: "img", "aria-label": says }, sign),
      element("span", { class: `wire-start status-${Math.floor((status ?? 0) / 100)}` }, start),
      element("span", { class: "wire-url" }, shownUrl(url)),
      element("span", { class: "wire-latency" }),
      element("span", { class: "wire-position", title: "Event-ID: the position in the journal" }, position ?? ""),
      element("span", { class: "wire-effect" }),
    );
    const row = element("details", { class: `wire-entry is-${kind}` }, summary);
    row.addEventListener("toggle", () => {
      if (!row.open || row.childElementCount > 1) return;
      row.append(
        element(
          "div",
          { class: "wire-message" },
          element(
            "pre",
            { tabindex: 0, "aria-label": "The message as it came" },
            entry.text === "" ? entry.effect : entry.text,
          ),
          button("Copy", () => void copyText(entry.text)),
        ),
      );
    });
    const item = element("div", { role: "listitem" }, row);
    this.#update(item, entry);
    return item;
  }

  #update(row: HTMLElement, { effect, sinceAnswerMs }: Entry): void {
    const latency = sinceAnswerMs === undefined ? "" : formatLatency(sinceAnswerMs);
    for (const [name, text] of [["wire-effect", effect] as const, ["wire-latency", latency] as const]) {
      const place = row.querySelector(`.${name}`);
      if (place && place.textContent !== text) fill(place, text);
    }
  }
}

function shownUrl(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll("%25", "%2525"));
  } catch {
    return url;
  }
}
