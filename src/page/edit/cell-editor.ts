import { button, element, fill } from "../dom.ts";
import { messageOf, troublesOf } from "../refusal.ts";
import { isSameValue } from "../rows/cell-text.ts";
import type { CellAt } from "../rows/grid.ts";
import type { FindKeys } from "./find-keys.ts";
import { createValueInput, type ValueInput } from "./value-input.ts";

/** Where a cell is edited: over it, with an input that fits its type. */
export class CellEditor {
  readonly #at: CellAt;
  readonly #input: ValueInput;
  readonly #form: HTMLFormElement;
  readonly #trouble: HTMLElement = element("p", { class: "trouble", role: "alert" });
  readonly #save: (value: unknown) => Promise<void>;
  readonly #fail: (error: unknown) => void;
  #isOpen = false;

  /**
   * @param findKeys - finds the keys that the column may have
   * @param save - called with the value that is to be written; not where it is the same. Where it rejects, the editor is there
   * again, with what was typed
   * @param fail - called instead where somebody does something else by then
   */
  constructor(
    at: CellAt,
    findKeys: FindKeys | undefined,
    save: (value: unknown) => Promise<void>,
    fail: (error: unknown) => void,
  ) {
    this.#at = at;
    this.#save = save;
    this.#fail = fail;
    const { column, row } = at;
    const value = row[column.name] ?? null;
    this.#input = createValueInput(column, { value, label: column.name, id: "cell-input", findKeys });
    this.#form = element(
      "form",
      // A click between its inputs leaves the focus in it.
      { class: "editor", "aria-label": `Edit ${column.name}`, tabindex: -1 },
      this.#input.element,
      this.#trouble,
      element(
        "div",
        { class: "editor-bar" },
        element("span", { class: "hint" }, column.type || column.kind),
        button("Cancel", () => this.#close(true)),
        element("button", { type: "submit", class: "primary" }, "Save"),
      ),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#finish(true);
    });
    this.#form.addEventListener("keydown", (event) => this.#press(event));
    this.#form.addEventListener("focusout", ({ relatedTarget }) => {
      const isInside = relatedTarget instanceof Node && this.#form.contains(relatedTarget);
      // A file dialog takes the focus away, too.
      if (!isInside && document.hasFocus()) this.#finish(false);
    });
    this.#open("");
  }

  #open(trouble: string): void {
    this.#isOpen = true;
    fill(this.#trouble, trouble);
    document.body.append(this.#form);
    this.#place();
    this.#input.focus();
  }

  #place(): void {
    const { left, top, width } = this.#at.cell.getBoundingClientRect();
    const { style } = this.#form;
    style.minWidth = `${Math.max(width, 220)}px`;
    style.left = `${Math.max(4, Math.min(left, innerWidth - this.#form.offsetWidth - 4))}px`;
    style.top = `${Math.max(4, Math.min(top, innerHeight - this.#form.offsetHeight - 4))}px`;
  }

  #press(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape") {
      this.#close(true);
    } else if (
      event.key === "Enter" &&
      // Where Enter breaks the line, or opens a list: the list opens by Space, too.
      ((event.target instanceof HTMLTextAreaElement && (event.ctrlKey || event.metaKey)) ||
        event.target instanceof HTMLSelectElement)
    ) {
      event.preventDefault();
      this.#finish(true);
    }
  }

  /** Saves what was typed. @param givesFocus - whether that is the end of it for the user, too, who else has gone elsewhere */
  #finish(givesFocus: boolean): void {
    if (!this.#isOpen) return;
    const reading = this.#input.read();
    if (reading === "left out") {
      this.#close(givesFocus);
      return;
    }
    if ("trouble" in reading) {
      fill(this.#trouble, reading.trouble);
      // Once the focus is where it is going.
      setTimeout(() => this.#input.focus());
      return;
    }
    const { row, column } = this.#at;
    this.#close(givesFocus);
    if (isSameValue(reading.value, row[column.name] ?? null)) return;
    this.#save(reading.value).catch((error: unknown) => this.#refused(error));
  }

  #refused(error: unknown): void {
    const { cell, column } = this.#at;
    const own = troublesOf(error).find(({ field }) => field === column.name);
    if (cell.isConnected && !document.querySelector("dialog[open], .editor"))
      this.#open(own?.detail ?? messageOf(error));
    else this.#fail(error);
  }

  #close(givesFocus: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#form.remove();
    if (givesFocus) this.#at.cell.focus();
  }
}
