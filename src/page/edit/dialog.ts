import { type Content, element } from "../dom.ts";

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
