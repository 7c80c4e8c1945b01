import type { Client } from "../../client/index.ts";
import { button, element, fill } from "../dom.ts";
import type { Place, Places } from "../place.ts";
import { readable } from "../readable.ts";
import { countRows } from "../rows/count-rows.ts";
import type { Schema } from "../schema.ts";

/** After a change, rows are counted again after so long, in milliseconds; and all of them now and then. */
const recountMs = 800;
const lookMs = 20_000;
/** How many are counted at once: what is asked for beside them is not to wait for all. */
const mostCounting = 3;

/** The collections with how many rows they have, and what else there is to see. */
export class SideBar {
  readonly element: HTMLElement = element("nav", { class: "side", "aria-label": "Collections" });
  readonly #client: Client;
  readonly #places: Places;
  readonly #counts: Map<string, HTMLElement> = new Map();
  readonly #due: Map<string, ReturnType<typeof setTimeout>> = new Map();
  /** Those whose count is seen: no other is asked for. */
  readonly #seen: Set<string> = new Set();
  readonly #observer: IntersectionObserver = new IntersectionObserver((entries) => this.#look(entries));
  readonly #waiting: Set<string> = new Set();
  #counting = 0;
  #urls: readonly string[] = [];
  #visited: string[] = [];

  constructor(client: Client, places: Places) {
    this.#client = client;
    this.#places = places;
    setInterval(() => {
      if (document.visibilityState === "visible") this.countAll();
    }, lookMs);
  }

  /**
   * Shows the collections.
   *
   * @param schema - `undefined` where the server doesn't tell any
   * @param isRefused - whether it tells them to those who sign in
   */
  show(schema: Schema | undefined, place: Place, hasState: boolean, isRefused: boolean): void {
    const countable = schema?.collections.filter(({ methods }) => methods.collection.includes("GET")) ?? [];
    this.#urls = countable.map(({ url }) => url);
    const links = schema
      ? schema.collections.map(({ name, url }) => this.#link(name, url, place))
      : isRefused
        ? []
        : this.#visit(place).map((url) => this.#link(readable(url), url, place));
    const who = hasState && this.#stateLink(place);
    fill(
      this.element,
      element("h2", {}, schema || isRefused ? "Collections" : "URLs"),
      isRefused
        ? element("p", { class: "follow hint" }, "Sign in, by the button above, to see what is here.")
        : !schema && this.#form(),
      element("ul", { class: "collections" }, ...links),
      who && element("ul", { class: "collections" }, who),
    );
    if (schema) this.countAll();
  }

  /** Counts all rows again, as far as that is seen. */
  countAll(): void {
    for (const url of this.#seen) this.#count(url);
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries) {
      const { url = "" } = (target as HTMLElement).dataset;
      if (!isIntersecting) this.#seen.delete(url);
      else {
        this.#seen.add(url);
        this.#count(url);
      }
    }
  }

  /** Says that a record has come or gone. @param url - the record's, or a list's */
  changed(url: string): void {
    const list = this.#urls.find((one) => url === one || url.startsWith(`${one}/`) || url.startsWith(`${one}?`));
    if (list === undefined || this.#due.has(list)) return;
    const timer = setTimeout(() => {
      this.#due.delete(list);
      this.#count(list);
    }, recountMs);
    this.#due.set(list, timer);
  }

  #count(url: string): void {
    if (!this.#urls.includes(url) || !this.#seen.has(url)) return;
    this.#waiting.add(url);
    this.#goOn();
  }

  #goOn(): void {
    const [url] = this.#waiting;
    if (url === undefined || this.#counting === mostCounting) return;
    this.#waiting.delete(url);
    this.#counting += 1;
    void countRows(this.#client, url).then((count) => {
      this.#counting -= 1;
      const place = this.#counts.get(url);
      if (place && typeof count === "number") fill(place, count.toLocaleString("en"));
      this.#goOn();
    });
    this.#goOn();
  }

  #link(name: string, url: string, place: Place): HTMLElement {
    const count = this.#counts.get(url) ?? element("span", { class: "count", "data-url": url });
    if (!this.#counts.has(url)) this.#observer.observe(count);
    this.#counts.set(url, count);
    const to: Place = { view: "rows", path: url, query: "" };
    const isCurrent = place.view === "rows" && (place.path === url || place.path.startsWith(`${url}/`));
    return this.#item(to, isCurrent, element("span", { class: "name" }, name), count);
  }

  #stateLink({ view }: Place): HTMLElement {
    return this.#item(
      { view: "state", path: "", query: "" },
      view === "state",
      element("span", { class: "name" }, "Who follows what"),
    );
  }

  #item(to: Place, isCurrent: boolean, ...content: readonly HTMLElement[]): HTMLElement {
    const go = (event: MouseEvent): void => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.#places.go(to);
    };
    const current = isCurrent && { "aria-current": "page" };
    return element("li", {}, element("a", { href: this.#places.href(to), click: go, ...current }, ...content));
  }

  #visit({ view, path }: Place): readonly string[] {
    if (view === "rows" && path !== "" && !this.#visited.includes(path))
      this.#visited = [path, ...this.#visited].slice(0, 12);
    return this.#visited;
  }

  #form(): HTMLElement {
    const field = element("input", {
      type: "text",
      id: "url",
      placeholder: "/posts",
      autocomplete: "off",
      spellcheck: "false",
    });
    const form = element(
      "form",
      { class: "follow" },
      element("label", { for: "url", class: "hint" }, "Any URL that answers a GET"),
      element("div", { class: "group" }, field, element("button", { type: "submit", class: "primary" }, "Follow")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [path = "", query = ""] = field.value.trim().split(/\?(.*)/s);
      if (path !== "") this.#places.go({ view: "rows", path: path.startsWith("/") ? path : `/${path}`, query });
    });
    return form;
  }
}

/** A button that shows and hides the side bar where there is little room. */
export function sideBarToggle(bar: HTMLElement): HTMLButtonElement {
  const toggle = button(
    "☰",
    () => {
      const isOpen = document.body.classList.toggle("shows-side");
      toggle.setAttribute("aria-expanded", String(isOpen));
    },
    { class: "side-toggle", "aria-label": "Collections", "aria-expanded": "false", "aria-controls": "side" },
  );
  bar.id = "side";
  bar.addEventListener("click", ({ target }) => {
    if (!(target as Element).closest("a")) return;
    document.body.classList.remove("shows-side");
    toggle.setAttribute("aria-expanded", "false");
  });
  return toggle;
}
