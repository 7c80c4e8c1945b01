import { button, element, fill } from "../dom.ts";

/** How far apart what is said aloud is, in milliseconds. */
const quietMs = 2_000;
/** How long a message stays, and one with something to do, in milliseconds. */
const toastMs = 10_000;
const actionMs = 30_000;

/** What can be done about a message. */
export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
  /** Whether Ctrl+Z does it, too, while the message is there. */
  readonly isUndo?: boolean;
}

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
    addEventListener("keydown", (event) => this.#press(event));
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
  show(text: string, kind: "done" | "trouble" = "done", action?: ToastAction): void {
    const toast = element("div", { class: `toast is-${kind}` }, element("span", {}, text));
    const close = (): void => {
      const hadFocus = toast.contains(document.activeElement);
      toast.remove();
      if (hadFocus) document.querySelector<HTMLElement>(".grid [tabindex='0']")?.focus();
    };
    if (action) {
      const run = (): void => {
        close();
        action.run();
      };
      const keys = action.isUndo && { "aria-keyshortcuts": "Control+Z", "data-undo": true };
      toast.append(
        button(action.isUndo ? `${action.label} (Ctrl+Z)` : action.label, run, { class: "primary", ...keys }),
      );
    }
    toast.append(button("✕", close, { class: "close", "aria-label": "Close the message" }));
    this.#toasts.append(toast);
    while (this.#toasts.childElementCount > 3) this.#toasts.firstElementChild?.remove();
    const closeUnused = (): void => {
      // Who is at it has not done with it.
      if (toast.matches(":hover, :focus-within")) setTimeout(closeUnused, toastMs);
      else close();
    };
    setTimeout(closeUnused, action ? actionMs : toastMs);
  }

  /** Takes back what was done last; where one types, that is the text's own. */
  #press(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, shiftKey, target } = event;
    if (key.toLowerCase() !== "z" || !(ctrlKey || metaKey) || shiftKey) return;
    if ((target as Element).closest("input, textarea, dialog")) return;
    const undo = [...this.#toasts.querySelectorAll<HTMLElement>("[data-undo]")].pop();
    if (!undo) return;
    event.preventDefault();
    undo.click();
  }
}
