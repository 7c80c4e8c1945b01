import { button, type Content, element, fill } from "../dom.ts";
import { Dialog } from "../edit/dialog.ts";
import { messageOf, problemIn, troublesIn } from "../refusal.ts";

const tokenKey = "rocket: token";
const emailKey = "rocket: signed in by a cookie as";

function wordIn(token: string): string {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    const { email, sub, role } = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    return String(email ?? sub ?? role ?? "");
  } catch {
    return "";
  }
}

function field(id: string, label: string, attributes: Readonly<Record<string, string>>): HTMLElement {
  return element(
    "label",
    { class: "form-row" },
    label,
    element("input", { id, name: id, required: true, ...attributes }),
  );
}

/** Who uses the page: by a token, for as long as the browser's tab is open, or by the cookie of an account. */
export class Session {
  readonly #auth: string;
  readonly #onChange: () => void;
  #dialog: Dialog | undefined;

  /**
   * @param base - what stands before all paths
   * @param onChange - called once somebody else uses it, or nobody
   */
  constructor(base: string, onChange: () => void) {
    this.#auth = `${base}/auth`;
    this.#onChange = onChange;
  }

  /** The token; `undefined` where there is none. */
  get token(): string | undefined {
    return sessionStorage.getItem(tokenKey) ?? undefined;
  }

  /** Who is signed in by a cookie; `undefined` where nobody is. */
  get email(): string | undefined {
    return sessionStorage.getItem(emailKey) ?? undefined;
  }

  /** Who is signed in, for a person to read; `undefined` where nobody is. */
  get name(): string | undefined {
    const { token } = this;
    return token === undefined ? this.email : wordIn(token);
  }

  /** Looks whose cookie the browser has: another tab may have signed in, or out. */
  async look(): Promise<void> {
    if (this.token !== undefined) return;
    const response = await fetch(`${this.#auth}/user`);
    if (response.ok)
      sessionStorage.setItem(emailKey, ((await response.json()) as { user: { email: string } }).user.email);
    else if (response.status === 401) this.forget();
  }

  /** An account's session has ended. */
  forget(): void {
    sessionStorage.removeItem(emailKey);
  }

  /** Nobody is signed in any more. */
  async signOut(): Promise<void> {
    if (this.email !== undefined) await this.#post("sign-out", {}).catch(() => {});
    this.#keep();
  }

  /** Asks who it is. @param reason - why, where there is more to say */
  async ask(reason: string): Promise<void> {
    const trouble = element("p", { class: "trouble", role: "alert" }, reason);
    const [hasAccounts, isOpen] = await Promise.all([this.#takes("sign-in"), this.#takes("sign-up")]);
    const forms = hasAccounts
      ? [this.#accountForm(trouble, isOpen), element("hr"), this.#tokenForm(trouble, false)]
      : [this.#tokenForm(trouble, true)];
    if (!document.querySelector("dialog[open]")) this.#dialog = new Dialog("Sign in", [trouble, ...forms]);
  }

  /** Whether accounts are kept, and anybody may do that. */
  #takes(action: string): Promise<boolean> {
    return fetch(`${this.#auth}/${action}`, { method: "OPTIONS" }).then(
      ({ ok, headers }) => ok && /POST/.test(headers.get("allow") ?? ""),
      () => false,
    );
  }

  #keep(name?: string, value = ""): void {
    sessionStorage.removeItem(tokenKey);
    sessionStorage.removeItem(emailKey);
    if (name !== undefined) sessionStorage.setItem(name, value);
    this.#dialog?.close();
    this.#onChange();
  }

  #form(
    onSubmit: (values: FormData, pressed: HTMLButtonElement) => unknown,
    other: HTMLElement | undefined,
    ...content: readonly Content[]
  ): HTMLFormElement {
    const submit = element("button", { type: "submit", class: "primary" }, "Sign in");
    const form = element("form", {}, ...content, element("div", { class: "dialog-bar" }, other, submit));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onSubmit(new FormData(form), submit);
    });
    return form;
  }

  /** @param isOpen - whether anybody may make an account */
  #accountForm(trouble: HTMLElement, isOpen: boolean): HTMLElement {
    const ask = async (values: FormData, action: string): Promise<void> => {
      const { email = "", password } = Object.fromEntries(values) as Readonly<Record<string, string>>;
      const response = await this.#post(action, { email, password, cookie: true });
      if (response.ok) return this.#keep(emailKey, email);
      const problem = await problemIn(response);
      // What the problem itself says is told once.
      const more = troublesIn(problem).filter(({ detail }) => !problem.detail.includes(detail.replace(/\.$/, "")));
      fill(trouble, [problem, ...more].map(messageOf).join(" "));
    };
    const enter = async (values: FormData, action: string, pressed: HTMLButtonElement): Promise<void> => {
      const buttons = [...form.getElementsByTagName("button")];
      const label = pressed.textContent;
      for (const one of buttons) one.disabled = true;
      fill(pressed, action === "sign-in" ? "Signing in…" : "Creating an account…");
      fill(trouble);
      await ask(values, action).catch((error: unknown) => fill(trouble, messageOf(error)));
      fill(pressed, label);
      for (const one of buttons) one.disabled = false;
    };
    // No submit button: Enter would press the first one.
    const create = button("Create an account", () => {
      if (form.reportValidity()) void enter(new FormData(form), "sign-up", create);
    });
    const form = this.#form(
      (values, pressed) => void enter(values, "sign-in", pressed),
      isOpen ? create : undefined,
      field("email", "Email", { type: "email", autocomplete: "username", autofocus: "" }),
      field("password", "Password", { type: "password", autocomplete: "current-password" }),
    );
    return form;
  }

  /** @param isAlone - whether there is no other way */
  #tokenForm(trouble: HTMLElement, isAlone: boolean): HTMLElement {
    const area = element("textarea", {
      id: "token",
      name: "token",
      rows: 4,
      spellcheck: "false",
      placeholder: "eyJhbGciOi…",
      autofocus: isAlone,
    });
    return this.#form(
      (values) => {
        const token = String(values.get("token"))
          .trim()
          .replace(/^bearer\s+/i, "");
        if (/^[\w.~+/=-]+$/.test(token)) this.#keep(tokenKey, token);
        else fill(trouble, "A token is one word of letters, digits and -._~+/.");
      },
      undefined,
      element("label", { for: "token" }, "A token that says who you are"),
      area,
      element("p", { class: "hint" }, "It stays in this tab, and is sent as Authorization: Bearer …"),
    );
  }

  #post(action: string, body: object): Promise<Response> {
    const headers = { "Content-Type": "application/json" };
    return fetch(`${this.#auth}/${action}`, { method: "POST", headers, body: JSON.stringify(body) });
  }
}
