import { button, element, fill } from "../dom.ts";
import { commandLine } from "./foreign-write.ts";

const hiddenKey = "rocket: first steps are known";

/** What can be tried at once. */
export interface FirstStep {
  /** What changes a row from a shell; absent where that is not known. */
  readonly shell: string | undefined;
  /** Whether this page may write. */
  readonly canWrite: boolean;
}

function isKnown(): boolean {
  try {
    return localStorage.getItem(hiddenKey) !== null;
  } catch {
    return false;
  }
}

/** The line that says what to do next, and what happened when it was done. */
export class FirstSteps {
  readonly element: HTMLElement = element("aside", {
    class: "first-steps",
    "aria-label": "First steps",
    hidden: isKnown(),
  });
  readonly #onWrite: () => void;
  #step: FirstStep | undefined;
  #isDone = false;

  /** @param onWrite - asked to change a row as another program does */
  constructor(onWrite: () => void) {
    this.#onWrite = onWrite;
  }

  /** Says what can be tried. */
  show(step: FirstStep): void {
    const before = this.#step;
    this.#step = step;
    if (this.#isDone || (before?.shell === step.shell && before?.canWrite === step.canWrite)) return;
    const { shell, canWrite } = step;
    const second = element("a", { href: location.href, target: "_blank", rel: "noopener" }, "open a second window");
    fill(
      this.element,
      element(
        "p",
        {},
        element("strong", {}, "Change a row from anywhere"),
        " and watch it here: ",
        second,
        shell ? ", or from a shell:" : ".",
      ),
      shell !== undefined && commandLine("", shell),
      canWrite && button("Change a row for me…", this.#onWrite, { class: "primary" }),
      this.#closer(),
    );
  }

  /** Says that a change has come. @param ms - since the answer to the write, where that was this page's own */
  changed(url: string, ms: number | undefined): void {
    if (this.element.hidden || this.#isDone) return;
    this.#isDone = true;
    // What is below stays where it is.
    this.element.style.minHeight = `${this.element.getBoundingClientRect().height}px`;
    const time = ms === undefined || ms < 0 ? "" : ` ${ms.toFixed(1)} ms after the writer had its answer`;
    const text = ` came${time}: pushed, not polled, as the answer that a GET would give. Click its line in the wire below.`;
    fill(
      this.element,
      element("p", {}, element("strong", {}, "There it is. "), element("code", {}, url), text),
      this.#closer(),
    );
  }

  #closer(): HTMLElement {
    return button("Got it", () => {
      this.element.hidden = true;
      try {
        localStorage.setItem(hiddenKey, "1");
      } catch {
        // It is said again, then.
      }
    });
  }
}
