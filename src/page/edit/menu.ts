import { element } from "../dom.ts";

/** One thing that can be chosen; without an action it is a heading. */
export interface MenuItem {
  readonly label: string;
  readonly action?: (() => void) | undefined;
  readonly isDangerous?: boolean;
}

/** A list of actions at an element. Arrows, Home, End, Enter and Escape work in it. */
export class Menu {
  readonly #anchor: HTMLElement;
  readonly #list: HTMLElement;
  #isOpen = true;

  constructor(anchor: HTMLElement, label: string, items: readonly MenuItem[]) {
    this.#anchor = anchor;
    this.#list = element(
      "div",
      { role: "menu", class: "menu", "aria-label": label },
      ...items.map((item) => this.#item(item)),
    );
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("focusout", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && this.#list.contains(relatedTarget))) this.#close(false);
    });
    (document.querySelector("main") ?? document.body).append(this.#list);
    const { left, bottom, top } = anchor.getBoundingClientRect();
    const { style, offsetWidth, offsetHeight } = this.#list;
    style.left = `${Math.max(4, Math.min(left, innerWidth - offsetWidth - 4))}px`;
    style.top = `${bottom + offsetHeight > innerHeight ? Math.max(4, top - offsetHeight) : bottom}px`;
    this.#buttons[0]?.focus();
  }

  get #buttons(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('[role="menuitem"]')];
  }

  #item({ label, action, isDangerous }: MenuItem): HTMLElement {
    if (!action) return element("div", { role: "presentation", class: "menu-heading" }, label);
    const choose = (): void => {
      this.#close(true);
      action();
    };
    const name = isDangerous ? "menu-item is-dangerous" : "menu-item";
    return element("button", { type: "button", role: "menuitem", class: name, tabindex: -1, click: choose }, label);
  }

  #press(event: KeyboardEvent): void {
    const all = this.#buttons;
    const at = all.indexOf(document.activeElement as HTMLElement);
    const places: Readonly<Record<string, number>> = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    };
    const to = places[event.key];
    if (to !== undefined) all[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") this.#close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #close(givesFocus: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#list.remove();
    if (givesFocus) this.#anchor.focus();
  }
}
