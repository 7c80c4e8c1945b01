import { button, element, fill } from "../dom.ts";

/** How far apart what is said aloud is, in milliseconds. */
const quietMs = 2_000;
/** How long a message stays, in milliseconds. */
const toastMs = 10_000;

/** Says what happens: aloud, at most once in two seconds, and in messages that go by themselves. */
export class Announcer {
  readonly element: HTMLElement;
  readonly #live: HTMLElement = element("div", { class: "hidden-text", "aria-live": "polite" });
  readonly #toasts: HTMLElement = element("div", { class: "toasts", role: "status" });
  #next = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor() {
    this.element = element("div", {}, this.#live, this.#toasts);
  }

  /** Says something aloud; of what comes too fast, the last. */
  say(text: string): void {
    this.#next = text;
    if (this.#timer !== undefined) return;
    const waitMs = Math.max(0, this.#lastAt + quietMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lastAt = performance.now();
      fill(this.#live, this.#next);
    }, waitMs);
  }

  /** Shows a message. @param action - what can be done about it */
  show(
    text: string,
    kind: "done" | "trouble" = "done",
    action?: { readonly label: string; readonly run: () => void },
  ): void {
    const toast = element("div", { class: `toast is-${kind}` }, element("span", {}, text));
    const close = (): void => toast.remove();
    if (action) {
      const run = (): void => {
        close();
        action.run();
      };
      toast.append(button(action.label, run, { class: "primary" }));
    }
    toast.append(button("✕", close, { class: "close", "aria-label": "Close the message" }));
    this.#toasts.append(toast);
    while (this.#toasts.childElementCount > 3) this.#toasts.firstElementChild?.remove();
    setTimeout(close, toastMs);
  }
}
