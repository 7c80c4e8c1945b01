import { button, element, fill } from "../dom.ts";
import { Dialog } from "../edit/dialog.ts";

const tokenKey = "rocket: token";

/** The token that requests show, for as long as the browser's tab is open. */
export class Session {
  readonly #onChange: () => void;

  /** @param onChange - called once there is another token, or none */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The token; `undefined` where nobody is signed in. */
  get token(): string | undefined {
    return sessionStorage.getItem(tokenKey) ?? undefined;
  }

  set token(token: string | undefined) {
    if (token === undefined) sessionStorage.removeItem(tokenKey);
    else sessionStorage.setItem(tokenKey, token);
    this.#onChange();
  }

  /** Asks for a token. @param reason - why, where there is more to say */
  ask(reason = ""): void {
    const field = element("textarea", {
      id: "token",
      rows: 5,
      spellcheck: "false",
      autocomplete: "off",
      placeholder: "eyJhbGciOi…",
    });
    const trouble = element("p", { class: "trouble", role: "alert" }, reason);
    const form = element(
      "form",
      {},
      element("label", { for: "token" }, "This server asks for a token that says who you are:"),
      field,
      element("p", { class: "hint" }, "It stays in this tab, and is sent as Authorization: Bearer …"),
      trouble,
      element(
        "div",
        { class: "dialog-bar" },
        button("Cancel", () => dialog.close()),
        element("button", { type: "submit", class: "primary" }, "Sign in"),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = field.value.trim().replace(/^bearer\s+/i, "");
      if (!/^[\w.~+/=-]+$/.test(token)) {
        fill(trouble, "A token is one word of letters, digits and -._~+/.");
        return;
      }
      dialog.close();
      this.token = token;
    });
    const dialog = new Dialog("Sign in", [form]);
    field.focus();
  }

  /** Who is signed in, as the token says; for a person to read. */
  get name(): string | undefined {
    const part = this.token?.split(".")[1];
    if (part === undefined) return undefined;
    try {
      const text = new TextDecoder().decode(
        Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0)),
      );
      const { email, sub, role } = JSON.parse(text) as { email?: unknown; sub?: unknown; role?: unknown };
      return String(email ?? sub ?? role ?? "signed in");
    } catch {
      return "signed in";
    }
  }
}
