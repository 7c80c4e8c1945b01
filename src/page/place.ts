import type { Facts } from "./facts.ts";

/** What the page shows: rows of a URL, or who follows what. */
export interface Place {
  readonly view: "rows" | "state";
  /** The path as the API has it, base path included; empty where none is chosen. */
  readonly path: string;
  /** The query without its question mark, as it is sent. */
  readonly query: string;
}

/** What follows the page's own URL where it is none of the API's. */
const stateHash = "#who";

/** Keeps what is shown in the address bar, so that it can be sent to somebody. */
export class Places {
  readonly #facts: Facts;
  readonly #onChange: () => void;

  /** @param onChange - called where the user goes back or forth */
  constructor(facts: Facts, onChange: () => void) {
    this.#facts = facts;
    this.#onChange = onChange;
    addEventListener("popstate", () => this.#onChange());
    addEventListener("hashchange", () => this.#onChange());
  }

  /** What is to be shown. */
  get current(): Place {
    const { base, place } = this.#facts;
    const { hash, pathname, search } = location;
    if (hash === stateHash) return { view: "state", path: "", query: "" };
    if (place === "inspector") {
      const [path = "", query = ""] = hash.slice(1).split(/\?(.*)/s);
      return { view: "rows", path, query };
    }
    const isRoot = pathname === base || pathname === `${base}/`;
    return { view: "rows", path: isRoot ? "" : pathname, query: search.slice(1) };
  }

  /** The URL of the page that shows a place. */
  href({ view, path, query }: Place): string {
    const { base, place } = this.#facts;
    const target = query === "" ? path : `${path}?${query}`;
    if (view === "state") return place === "inspector" ? stateHash : `${base}/${stateHash}`;
    return place === "inspector" ? `#${target}` : target || `${base}/`;
  }

  /** Shows a place, and remembers the one before. @param replaces - the one before is forgotten */
  go(place: Place, replaces = false): void {
    const href = this.href(place);
    if (replaces) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    this.#onChange();
  }
}
