import type { Status } from "../../client/index.ts";
import { counted } from "../counted.ts";
import { type Content, element, fill } from "../dom.ts";
import { formatTime } from "../wire/entry.ts";

/** What the bar says. */
export interface TopFacts {
  readonly name: string;
  readonly collections: number | undefined;
  readonly following: number;
  readonly changesPerMinute: number;
  /** Absent where nothing is shown that has one. */
  readonly status: Status | undefined;
}

const words: Readonly<Record<Status["state"], string>> = {
  connecting: "connecting",
  live: "live",
  behind: "live, catching up",
  polling: "asking at intervals",
  stale: "connecting again",
  offline: "offline",
  gone: "gone",
  failed: "failed",
};

/** The line at the top: what is served, and how well what is shown agrees with it. */
export class TopBar {
  readonly element: HTMLElement;
  readonly #name: HTMLElement = element("h1", {});
  readonly #facts: HTMLElement = element("p", { class: "facts" });
  readonly #status: HTMLElement = element("p", { class: "status", role: "status" });

  constructor(before: Content, ...behind: readonly Content[]) {
    this.element = element(
      "header",
      { class: "top" },
      before,
      this.#name,
      this.#facts,
      this.#status,
      ...behind.filter((one) => one !== undefined),
    );
  }

  /** Shows how things stand. */
  show({ name, collections, following, changesPerMinute, status }: TopFacts): void {
    const parts = [
      ...(collections === undefined ? [] : [counted(collections, "collection")]),
      `${following} following`,
      counted(changesPerMinute, "change/min", "changes/min"),
    ];
    if (this.#name.textContent !== name) fill(this.#name, name);
    const text = parts.join(" · ");
    if (this.#facts.textContent !== text) fill(this.#facts, text);
    this.#status.hidden = status === undefined;
    if (!status) return;
    const since = status.since === undefined ? "" : ` since ${formatTime(status.since).slice(0, 8)}`;
    const said = words[status.state] + (status.state === "live" ? "" : since);
    if (this.#status.textContent === said) return;
    this.#status.className = `status is-${status.state}`;
    fill(this.#status, said);
  }
}
