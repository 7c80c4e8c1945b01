import { element, fill } from "../dom.ts";
import { commandLine } from "./foreign-write.ts";

/** What is said where there are no rows to show. */
export class NothingPane {
  readonly element: HTMLElement = element("section", { class: "rows nothing", "aria-label": "Rows" });

  /** @param command - what can be done about it in a shell, where that is known */
  show(text: string, command?: string): void {
    if (this.element.firstChild?.textContent === text) return;
    fill(this.element, element("p", {}, text), command !== undefined && commandLine("", command));
  }
}
