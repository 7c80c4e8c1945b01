import { wellKnownPath } from "../protocol/index.ts";

/** The path below which clients see everything: `/api`, or nothing where that is the root. */
export class BasePath {
  /** Empty, or with a slash before it and none behind. */
  readonly text: string;

  /**
   * @param text - `/api`, also as `api` or `/api/`; the root where it is empty or `/`
   * @throws TypeError naming `basePath` where it is no such path
   */
  constructor(text = "") {
    const names = text.replace(/^\/|\/$/g, "");
    if (names !== "" && !names.split("/").every((name) => /^(?!\.+$)[\w.~-]+$/.test(name))) {
      throw new TypeError(
        `basePath: ${JSON.stringify(text)} is no path of letters, digits, "-", ".", "_" and "~", as in "/api".`,
      );
    }
    this.text = names === "" ? "" : `/${names}`;
  }

  /** Whether a target (path and query) is the base or below it. */
  has(target: string): boolean {
    return target.startsWith(this.text) && /^(?:[/?]|$)/.test(target.slice(this.text.length));
  }

  /** A target as the origin knows it, as clients see it; one that they see already is left as it is. */
  add(target: string): string {
    return this.text === "" || !target.startsWith("/") || this.has(target) ? target : this.text + target;
  }

  /** A target as clients see it, as it is below the base; another is left as it is. */
  remove(target: string): string {
    if (this.text === "" || !this.has(target)) return target;
    const rest = target.slice(this.text.length);
    return rest.startsWith("/") ? rest : `/${rest}`;
  }

  /**
   * A request's target with the base, whether what stands in front took it off or not; the well-known URL without, as the
   * hub has it.
   */
  enter(target: string): string {
    if (this.text === "") return target;
    const bare = this.remove(target);
    return bare.split("?")[0] === wellKnownPath ? bare : this.add(target);
  }
}
