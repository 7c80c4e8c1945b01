import { button, copyText, element, fill } from "../dom.ts";
import { Dialog } from "../edit/dialog.ts";
import { messageOf, problemIn } from "../refusal.ts";
import { curlOf, type SnippetPlace } from "../snippets.ts";

/** A write as another program would make it. */
export interface ForeignWrite {
  readonly method: string;
  /** The path and query. */
  readonly target: string;
  /** JSON, or nothing. */
  readonly body: string;
  /** What does the same from a shell, where that is known. */
  readonly shell?: string | undefined;
}

/** Sends a request past the client: nothing of it is known here before the server tells of it. */
export type SendForeign = (method: string, target: string, body: string) => Promise<Response>;

/** Asks what another program is to write, and writes it. */
export class ForeignWriteDialog {
  readonly #send: SendForeign;
  readonly #placeOf: (target: string) => SnippetPlace;
  readonly #method: HTMLSelectElement;
  readonly #target: HTMLInputElement;
  readonly #body: HTMLTextAreaElement;
  readonly #answer: HTMLElement = element("p", { class: "answer", role: "status" });

  /** @param suggestion - what the form begins with */
  constructor(
    suggestion: ForeignWrite,
    { placeOf, send }: { readonly placeOf: (target: string) => SnippetPlace; readonly send: SendForeign },
  ) {
    this.#send = send;
    this.#placeOf = placeOf;
    const methods = ["PATCH", "POST", "PUT", "DELETE"];
    const option = (name: string): HTMLElement =>
      element("option", { value: name, selected: name === suggestion.method }, name);
    this.#method = element("select", { "aria-label": "Method" }, ...methods.map(option));
    this.#target = element("input", { type: "text", "aria-label": "URL", autocomplete: "off", spellcheck: "false" });
    this.#target.value = suggestion.target;
    this.#body = element("textarea", { "aria-label": "Body, as JSON", rows: 4, spellcheck: "false" });
    this.#body.value = suggestion.body;
    const form = element(
      "form",
      { class: "foreign" },
      element(
        "p",
        {},
        "A request that the page's client knows nothing of, as another program sends it. Watch the table and the wire.",
      ),
      element("div", { class: "group" }, this.#method, this.#target),
      this.#body,
      this.#answer,
      element(
        "div",
        { class: "dialog-bar" },
        button("Copy as curl", () => void copyText(this.#curl)),
        element("button", { type: "submit", class: "primary" }, "Send"),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#write();
    });
    const { shell } = suggestion;
    const command = shell === undefined ? undefined : commandLine("The same in a shell", shell);
    // Another request is not the same any more.
    form.addEventListener("input", () => command?.remove());
    const dialog = new Dialog("Write from another program", [form, command]);
    dialog.element.classList.add("is-low");
    this.#body.focus();
  }

  get #curl(): string {
    return curlOf(
      this.#method.value,
      this.#placeOf(this.#target.value),
      this.#method.value === "DELETE" ? "" : this.#body.value,
    );
  }

  async #write(): Promise<void> {
    try {
      const body = this.#method.value === "DELETE" ? "" : this.#body.value;
      const response = await this.#send(this.#method.value, this.#target.value, body);
      const answer = `${response.status} ${response.statusText}`;
      const { detail } = response.ok ? { detail: answer } : await problemIn(response);
      fill(this.#answer, detail === answer ? answer : `${answer}: ${detail}`);
    } catch (error) {
      fill(this.#answer, messageOf(error));
    }
  }
}

/** A command that can be copied. */
export function commandLine(label: string, command: string): HTMLElement {
  const copy = button("Copy", () => {
    void copyText(command).then(() => {
      copy.textContent = "Copied";
      setTimeout(() => {
        copy.textContent = "Copy";
      }, 1_500);
    });
  });
  return element(
    "div",
    { class: "command" },
    element("span", { class: "hint" }, label),
    element("code", { tabindex: 0 }, command),
    copy,
  );
}
