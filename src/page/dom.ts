/** What can stand in an element: texts are texts, never markup. */
export type Content = Node | string | undefined | false;

type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

/**
 * Makes an element.
 *
 * @param attributes - a function is a listener of the event of that name; `true` an attribute without a value; what is false
 * or missing is left out
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value as (event: Event) => void);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  fill(made, ...content);
  return made;
}

/** Gives an element other content. */
export function fill(target: Element, ...content: readonly Content[]): void {
  target.replaceChildren(...content.filter((one) => one !== undefined && one !== false));
}

/** A button that does something. */
export function button(
  label: string,
  onClick: (event: MouseEvent) => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  return element("button", { type: "button", click: onClick, ...attributes }, label);
}

/** Calls something at the next frame, once, however often it is asked for until then. */
export class OncePerFrame {
  readonly #action: () => void;
  #isAsked = false;

  constructor(action: () => void) {
    this.#action = action;
  }

  /** Asks for it. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#action();
    });
  }
}

/** Functions that are told when something has happened. */
export class Signal {
  readonly #listeners: Set<() => void> = new Set();

  /** Adds one. Returns a function that takes it away. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells all. */
  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Follows the pointer while it drags a handle. @param begin - called as that begins; what it gives is called with each move */
export function onDrag(handle: HTMLElement, begin: (event: PointerEvent) => (event: PointerEvent) => void): void {
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = begin(event);
  });
  handle.addEventListener("lostpointercapture", () => {
    handle.onpointermove = null;
  });
}

/** Whether things may move. */
function mayMove(): boolean {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Marks an element for a moment. @param kind - a custom property of the style sheet with the colour */
export function flash(target: Element, kind: "changed" | "entered"): void {
  const colour = getComputedStyle(target).getPropertyValue(`--${kind}`);
  const [from, to] = [{ backgroundColor: colour }, { backgroundColor: "transparent" }];
  const keys = mayMove() ? [from, { ...from, offset: 0.25 }, to] : [from, { ...from, offset: 0.99 }, to];
  target.animate(keys, { duration: mayMove() ? 1_600 : 1_000, easing: "ease-out" });
}

/** Puts a text on the clipboard, also where a page may not ask for that. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { class: "hidden-text", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
