import { button, element, fill } from "../dom.ts";
import { messageOf, troublesOf } from "../refusal.ts";
import type { Row } from "../rows/row-source.ts";
import { type CollectionInfo, type Column, isRequired } from "../schema.ts";
import { Dialog } from "./dialog.ts";
import type { FindKeys } from "./find-keys.ts";
import { createValueInput, type ValueInput } from "./value-input.ts";

interface FormField {
  readonly column: Column;
  readonly input: ValueInput;
  readonly trouble: HTMLElement;
}

/** ` INTEGER → artists, required` */
function hintOf(column: Column): string {
  const { references, type, kind } = column;
  const target = references ? ` → ${references.url.slice(references.url.lastIndexOf("/") + 1)}` : "";
  return ` ${type || kind}${target}${isRequired(column) ? ", required" : ""}`;
}

/** A form for a new record. What is left as it is gets the database's default. */
export class CreateDialog {
  readonly #fields: readonly FormField[];
  readonly #trouble: HTMLElement = element("p", { class: "trouble", role: "alert" });
  readonly #dialog: Dialog;
  readonly #create: (values: Row) => Promise<() => void>;
  #shows: (() => void) | undefined;

  /**
   * @param create - writes the record; it rejects where that is refused. What it gives shows the record, once there is no dialog
   * @param finderOf - what finds the keys that a column may have
   * @param begins - what is filled in, by columns
   */
  constructor(
    { record, columns, unread }: CollectionInfo,
    create: (values: Row) => Promise<() => void>,
    finderOf: (column: Column) => FindKeys | undefined,
    begins: ReadonlyMap<string, string>,
  ) {
    this.#create = create;
    this.#fields = [...columns, ...unread]
      .filter(({ may }) => may.includes("create"))
      .map((column, at) => ({
        column,
        input: createValueInput(column, {
          value: undefined,
          begin: begins.get(column.name),
          id: `new-${at}`,
          findKeys: finderOf(column),
        }),
        trouble: element("p", { class: "trouble" }),
      }));
    const rows = this.#fields.map(({ column, input, trouble }, at) =>
      element(
        "div",
        { class: "form-row" },
        element("label", { for: `new-${at}` }, column.name, element("span", { class: "hint" }, hintOf(column))),
        input.element,
        trouble,
      ),
    );
    const form = element(
      "form",
      { class: "record-form" },
      ...rows,
      this.#trouble,
      element(
        "div",
        { class: "dialog-bar" },
        button("Cancel", () => this.#dialog.close()),
        element("button", { type: "submit", class: "primary" }, "Create"),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#dialog = new Dialog(`New ${record}`, [form], () => this.#shows?.());
    this.#focusFirst(({ column }) => !begins.has(column.name) && (isRequired(column) || !/^id$/i.test(column.name)));
  }

  async #send(): Promise<void> {
    const values: Record<string, unknown> = {};
    let isFine = true;
    for (const { column, input, trouble } of this.#fields) {
      const reading = input.read();
      fill(trouble, typeof reading === "object" && "trouble" in reading ? reading.trouble : "");
      if (reading === "left out") {
        if (!isRequired(column)) continue;
        fill(trouble, "This must be given.");
        isFine = false;
      } else if ("trouble" in reading) isFine = false;
      else values[column.name] = reading.value;
    }
    if (!isFine) {
      this.#focusFirst(({ trouble }) => trouble.textContent !== "");
      return;
    }
    try {
      this.#shows = await this.#create(values);
      this.#dialog.close();
    } catch (error) {
      this.#tell(error);
    }
  }

  #focusFirst(fits: (field: FormField) => boolean): void {
    (this.#fields.find(fits) ?? this.#fields[0])?.input.focus();
  }

  #tell(error: unknown): void {
    const told = new Set<string>();
    for (const { field, detail } of troublesOf(error)) {
      const place = this.#fields.find(({ column }) => column.name === field);
      if (!place) continue;
      fill(place.trouble, detail);
      told.add(detail);
    }
    fill(this.#trouble, told.size > 0 ? "" : messageOf(error));
  }
}
