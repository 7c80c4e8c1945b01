import { button, type Content, element } from "../dom.ts";

/** A dialog above the page, which takes the focus until it is closed. */
export class Dialog {
  readonly element: HTMLDialogElement;
  readonly #before: Element | null = document.activeElement;

  /** @param onClose - called once it is closed, whatever closed it */
  constructor(title: string, content: readonly Content[], onClose: () => void = () => {}) {
    const close = element(
      "button",
      { type: "button", class: "close", "aria-label": "Close", click: () => this.close() },
      "✕",
    );
    this.element = element(
      "dialog",
      { "aria-labelledby": "dialog-title" },
      element("header", { class: "dialog-head" }, element("h2", { id: "dialog-title" }, title), close),
      ...content,
    );
    this.element.addEventListener("close", () => {
      this.element.remove();
      if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus();
      onClose();
    });
    document.body.append(this.element);
    this.element.showModal();
  }

  /** Closes it. Twice is fine. */
  close(): void {
    this.element.close();
  }
}

/**
 * Asks something.
 *
 * @param choices - the buttons, with what each stands for; the first one has the focus
 * @returns what was chosen; `undefined` where it was closed
 */
export function ask<Choice>(
  title: string,
  content: readonly Content[],
  choices: readonly (readonly [label: string, choice: Choice])[],
): Promise<Choice | undefined> {
  return new Promise((resolve) => {
    const buttons = choices.map(([label, choice], at) => {
      const choose = (): void => {
        resolve(choice);
        dialog.close();
      };
      return button(label, choose, at === 0 ? { autofocus: true } : { class: "primary" });
    });
    const bar = element("div", { class: "dialog-bar" }, ...buttons);
    const dialog = new Dialog(title, [...content, bar], () => resolve(undefined));
  });
}
