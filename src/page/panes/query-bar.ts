import { button, element, fill } from "../dom.ts";
import {
  completions,
  conditionsIn,
  describeParameter,
  formatParameters,
  operatorsOf,
  type Parameter,
  parameterOf,
  parseParameters,
  showQuery,
} from "../query-text.ts";
import type { CollectionInfo } from "../schema.ts";

/** Values to choose from. */
function choiceOf(values: readonly string[], chosen: string): HTMLSelectElement {
  const options = values.map((value) => element("option", { value, selected: value === chosen }, value));
  return element("select", { "aria-label": "Value" }, ...options);
}

/** The conditions of a list: as a text in the query language, and as a form that writes it. Both are the URL's query. */
export class QueryBar {
  readonly element: HTMLElement;
  readonly #chips: HTMLElement = element("div", { class: "chips" });
  readonly #form: HTMLFormElement = element("form", { class: "condition", hidden: true });
  readonly #text: HTMLInputElement;
  readonly #list: HTMLDataListElement = element("datalist", { id: "completions" });
  readonly #trouble: HTMLElement = element("p", { class: "trouble", role: "alert" });
  readonly #add: HTMLButtonElement;
  readonly #onQuery: (query: string) => void;
  #info: CollectionInfo | undefined;
  #query = "";

  /** @param onQuery - called with another query, as it is sent */
  constructor(onQuery: (query: string) => void) {
    this.#onQuery = onQuery;
    this.#add = button("+ Filter", () => this.#toggleForm(), { "aria-expanded": "false" });
    this.#text = element("input", {
      type: "text",
      class: "query-text",
      list: "completions",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": "Query, as the URL has it",
    });
    this.#text.addEventListener("input", () => this.#complete());
    this.#text.addEventListener("focus", () => this.#complete());
    const text = element(
      "form",
      { class: "query-form" },
      element("span", { class: "hint", "aria-hidden": "true" }, "?"),
      this.#text,
      this.#list,
    );
    text.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use(parseParameters(this.#text.value));
    });
    this.element = element("div", { class: "query-bar" }, this.#chips, this.#add, text, this.#form, this.#trouble);
  }

  /** Shows a query. */
  show(info: CollectionInfo, query: string): void {
    const isOther = info !== this.#info;
    this.#info = info;
    this.#query = query;
    const [first] = info.columns.filter(({ name, kind }) => kind === "text" && !info.key.includes(name));
    this.#text.placeholder = first ? `${first.name}=like.A*&order=${first.name}` : "";
    if (document.activeElement !== this.#text || isOther) this.#text.value = showQuery(query);
    const parameters = parseParameters(query);
    fill(this.#chips, ...conditionsIn(parameters).map((parameter) => this.#chip(parameter, parameters)));
    if (isOther) this.#closeForm();
    this.#complete();
  }

  /** Says why the server refuses the query; nothing where it doesn't. */
  showTrouble(text: string): void {
    if (this.#trouble.textContent !== text) fill(this.#trouble, text);
  }

  #use(parameters: readonly Parameter[]): void {
    this.#query = formatParameters(parameters);
    this.#text.value = showQuery(this.#query);
    this.#onQuery(this.#query);
  }

  #chip(parameter: Parameter, all: readonly Parameter[]): HTMLElement {
    const text = describeParameter(parameter);
    const remove = button("✕", () => this.#use(all.filter((one) => one !== parameter)), {
      "aria-label": `Remove ${text}`,
    });
    return element("span", { class: "chip" }, text, remove);
  }

  #complete(): void {
    const texts = this.#info ? completions(this.#text.value, this.#info) : [];
    fill(this.#list, ...texts.slice(0, 40).map((value) => element("option", { value })));
  }

  #toggleForm(): void {
    if (!this.#form.hidden) {
      this.#closeForm();
      return;
    }
    this.#fillForm();
    this.#form.hidden = false;
    this.#add.setAttribute("aria-expanded", "true");
    this.#form.querySelector("select")?.focus();
  }

  #closeForm(): void {
    this.#form.hidden = true;
    this.#add.setAttribute("aria-expanded", "false");
  }

  #fillForm(): void {
    const columns = this.#info?.columns ?? [];
    const column = element(
      "select",
      { "aria-label": "Column" },
      ...columns.map(({ name }) => element("option", { value: name }, name)),
    );
    const operator = element("select", { "aria-label": "Operator" });
    const text = element("input", { "aria-label": "Value", autocomplete: "off" });
    let value: HTMLInputElement | HTMLSelectElement = text;
    const adapt = (): void => {
      const chosen = columns.find(({ name }) => name === column.value);
      const choices = chosen ? operatorsOf(chosen) : [];
      const before = operator.value;
      fill(operator, ...choices.map(({ name, label }) => element("option", { value: name }, label)));
      if (choices.some(({ name }) => name === before)) operator.value = before;
      const listed = /^n?eq$/.test(operator.value) && chosen?.values?.map(String);
      const next = listed ? choiceOf(listed, value.value) : text;
      next.hidden = choices.find(({ name }) => name === operator.value)?.takesValue === false;
      text.type = /^date$/i.test(chosen?.type ?? "") ? "date" : "text";
      value.replaceWith(next);
      value = next;
    };
    adapt();
    operator.addEventListener("change", adapt);
    column.addEventListener("change", () => {
      // An operator without a value would leave nowhere to type one.
      if (value.hidden) operator.value = "";
      adapt();
    });
    const use = (event: Event): void => {
      event.preventDefault();
      const added = parameterOf(column.value, operator.value, value.value);
      this.#closeForm();
      this.#use([...parseParameters(this.#query), added]);
      this.#add.focus();
    };
    this.#form.onsubmit = use;
    this.#form.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      this.#closeForm();
      this.#add.focus();
    };
    fill(this.#form, column, operator, value, element("button", { type: "submit", class: "primary" }, "Add"));
  }
}
