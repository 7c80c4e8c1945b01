import { button, element, fill } from "../dom.ts";
import { base64Bytes, formatBytes } from "../rows/cell-text.ts";
import { type Column, isRequired } from "../schema.ts";
import type { FindKeys } from "./find-keys.ts";

/** What an input holds: a value, nothing that was meant to be written, or what is wrong with it. */
export type Reading = { readonly value: unknown } | { readonly trouble: string } | "left out";

/** What a value is edited with. */
export interface ValueInput {
  readonly element: HTMLElement;
  focus(): void;
  read(): Reading;
}

/** How an input begins. */
export interface InputOptions {
  /** What is there; `undefined` for a record that is being made. */
  readonly value: unknown;
  /** What is filled in for a record that is being made, as a text; absent where that is nothing. */
  readonly begin?: string | undefined;
  /** What the input is called by screen readers; absent where a label is for it. */
  readonly label?: string;
  readonly id: string;
  /** Finds values that it may have. */
  readonly findKeys?: FindKeys | undefined;
}

/** How long one types until keys are looked for, in milliseconds. */
const pauseMs = 150;

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const datePattern = /^\d{4}-\d\d-\d\d$/;

function isDate({ type }: Column, value: unknown): boolean {
  return /^date$/i.test(type) && (value === null || value === undefined || datePattern.test(String(value)));
}

function textOf({ kind }: Column, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (kind === "json") return JSON.stringify(value, undefined, 2);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function fieldOf(column: Column, { value, label, id }: InputOptions): Field {
  const text = textOf(column, value);
  const attributes = { id, "aria-label": label, autocomplete: "off", spellcheck: "false" };
  const choices = column.kind === "boolean" ? ["true", "false"] : column.values?.map(String);
  if (choices) {
    // What is there already may be none of them.
    const all = text === "" || choices.includes(text) ? choices : [text, ...choices];
    const options = all.map((name) => element("option", { value: name, selected: text === name }, name));
    const none = element("option", { value: "", selected: text === "" }, placeholderOf(column));
    return element("select", attributes, ...(text === "" ? [none] : []), ...options);
  }
  const isLong = column.kind === "json" || text.length > 60 || text.includes("\n");
  const type = isDate(column, value) ? "date" : "text";
  const field = isLong
    ? element("textarea", {
        ...attributes,
        rows: Math.ceil(Math.min(12, text.split("\n").length + 1 + text.length / 60)),
      })
    : element("input", {
        ...attributes,
        type,
        // A year has four digits, whatever is typed into it.
        max: type === "date" && "9999-12-31",
        inputmode: column.kind === "number" && "decimal",
      });
  field.value = text;
  return field;
}

/** What a new record has where nothing is given. */
function placeholderOf(column: Column): string {
  if (isRequired(column)) return "";
  return column.hasDefault === false ? "NULL" : "default";
}

/** Offers keys for a field while one types in it. */
function completes(field: Field, findKeys: FindKeys): HTMLElement {
  const list = element("datalist", { id: `${field.id}-keys` });
  field.setAttribute("list", list.id);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: string | undefined;
  const look = async (): Promise<void> => {
    const { value } = field;
    // What was chosen is known.
    if (value === asked || [...list.options].some((one) => one.value === value)) return;
    asked = value;
    const found = await findKeys(value).catch(() => []);
    if (field.value === value) fill(list, ...found.map(([key, label]) => element("option", { value: key, label })));
  };
  field.addEventListener("focus", () => void look());
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), pauseMs);
  });
  return list;
}

/** Reads a number as the API has it: beyond what JavaScript holds exactly, as a text. */
export function readNumber(text: string): Reading {
  const trimmed = text.trim();
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed)) return { trouble: "This is no number." };
  const number = Number(trimmed);
  const isExact = Number.isSafeInteger(number) || (!Number.isInteger(number) && trimmed.length <= 15);
  return { value: isExact ? number : trimmed };
}

/** What a text means in a column. */
export function readText({ kind }: Pick<Column, "kind">, text: string): Reading {
  if (kind === "number") return readNumber(text);
  if (kind === "boolean") return text === "" ? "left out" : { value: text === "true" };
  if (kind !== "json") return { value: text };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { trouble: `This is no JSON: ${error instanceof Error ? error.message : ""}` };
  }
}

/** An input for one column's values, in which NULL is not the empty text. */
class ColumnInput implements ValueInput {
  readonly element: HTMLElement;
  readonly #column: Column;
  readonly #field: Field;
  readonly #null: HTMLButtonElement | undefined;
  readonly #isNew: boolean;
  /** The text that it began with; `undefined` where that was NULL. */
  readonly #before: string | undefined;

  constructor(column: Column, options: InputOptions) {
    const { value } = options;
    this.#column = column;
    this.#isNew = value === undefined;
    this.#field = fieldOf(column, options);
    this.#before = value === null ? undefined : this.#field.value;
    if (options.begin !== undefined) this.#field.value = options.begin;
    if (column.nullable) {
      this.#null = button("NULL", () => this.#setNull(!this.#isNull), { class: "null", "aria-pressed": "false" });
      this.#field.addEventListener("input", () => this.#setNull(false));
      if (value === null) this.#setNull(true);
    }
    if (this.#isNew) this.#field.setAttribute("placeholder", placeholderOf(column));
    const list = options.findKeys && completes(this.#field, options.findKeys);
    this.element = element("div", { class: "value-input" }, this.#field, list, this.#null);
  }

  get #isNull(): boolean {
    return this.#null?.getAttribute("aria-pressed") === "true";
  }

  #setNull(isNull: boolean): void {
    this.#null?.setAttribute("aria-pressed", String(isNull));
    this.#field.classList.toggle("is-null", isNull);
    if (isNull) this.#field.value = "";
    this.#field.setAttribute("placeholder", isNull ? "NULL" : this.#isNew ? placeholderOf(this.#column) : "");
  }

  focus(): void {
    this.#field.focus();
    if ("select" in this.#field) this.#field.select();
  }

  read(): Reading {
    if (this.#isNull) return { value: null };
    const { value } = this.#field;
    if (this.#field.validity.badInput) return { trouble: "This is not complete." };
    if (value === this.#before) return "left out";
    return readText(this.#column, value);
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Bytes are not typed: they are saved to a file, and read from one. */
class BytesInput implements ValueInput {
  readonly element: HTMLElement;
  readonly #file: HTMLInputElement;
  #reading: Reading;

  constructor({ name, nullable }: Column, { value, label, id }: InputOptions) {
    this.#reading = value === undefined ? "left out" : { value };
    this.#file = element("input", { type: "file", id, "aria-label": label });
    this.#file.addEventListener("change", () => void this.#take());
    const size = typeof value === "string" ? formatBytes(base64Bytes(value)) : "";
    const save = typeof value === "string" && button(`Save ${size} to a file`, () => saveBytes(name, value));
    const none = nullable && button("NULL", () => this.#setNull(), { class: "null" });
    this.element = element("div", { class: "value-input is-bytes" }, save, this.#file, none);
  }

  focus(): void {
    this.#file.focus();
  }

  read(): Reading {
    return this.#reading;
  }

  #setNull(): void {
    this.#file.value = "";
    this.#reading = { value: null };
  }

  async #take(): Promise<void> {
    const [file] = this.#file.files ?? [];
    if (file) this.#reading = { value: toBase64(new Uint8Array(await file.arrayBuffer())) };
  }
}

function saveBytes(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([bytesOf(text)]));
  element("a", { href: url, download: `${name}.bin` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Makes an input for a column. */
export function createValueInput(column: Column, options: InputOptions): ValueInput {
  return column.kind === "bytes" ? new BytesInput(column, options) : new ColumnInput(column, options);
}
