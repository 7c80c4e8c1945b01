import type { IncomingMessage } from "node:http";
import { fieldValue, matchesEntityTag, wellKnownPath } from "../../protocol/index.ts";
import type { BasePath, OriginResponse } from "../../server/index.ts";
import { isLoopback } from "../named-host.ts";
import { prefersHtml } from "../prefers-html.ts";
import { type PageFile, plainPage, readInspector } from "./page-file.ts";

/** What the page is told of what it is a page of. */
export interface PageFacts {
  /** What it calls what is served: `music.db`. Default: the host. Told only where nobody but this machine reaches the server, to who asks by a loopback name. */
  readonly name?: string;
  /** How SQL is run from a shell: `sqlite3 music.db`. Default: nothing. Told as {@link PageFacts.name} is. */
  readonly shell?: string;
  /** How Rocket's command is called. Default `rocket`. */
  readonly command?: string;
}

/**
 * What a browser is shown. `inspector`: the page that shows what is there, live. `line`: one line that says what this is.
 * `none`: what programs get.
 */
export type PageKind = "inspector" | "line" | "none";

/** All of {@link PageKind}. */
export const pageKinds: readonly PageKind[] = ["inspector", "line", "none"];

/** What is answered to browsers, and where. */
export interface PageDeskOptions {
  readonly kind: PageKind;
  readonly facts?: PageFacts | undefined;
  readonly basePath: BasePath;
  /** Whether the page is also at `/` and at the URLs of the origin's own; else at its own URL only. */
  readonly isAtResources: boolean;
  readonly owns: (target: string) => boolean;
  /** Whether only this machine reaches the server. */
  readonly isLocal: () => boolean;
}

/** The page's own URL. */
const inspectorPath = `${wellKnownPath}/inspector`;

/** What of a request decides whether it is answered with the page. */
type Asking = Pick<IncomingMessage, "headers" | "method" | "url">;

/** Answers browsers with a page where programs get data: at the same URLs, by `Accept`. */
export class PageDesk {
  readonly #options: PageDeskOptions;
  #inspector: PageFile | undefined;

  constructor(options: PageDeskOptions) {
    this.#options = options;
  }

  /** Whether answers at a URL depend on whether a browser asks. */
  isAt(url = "/"): boolean {
    const { kind, basePath, isAtResources, owns } = this.#options;
    const [path = ""] = basePath.remove(url).split("?");
    if (kind === "none" || !isAtResources) return false;
    return path === "/" || (kind === "inspector" && owns(url));
  }

  /** The page; `undefined` where something else is asked for. */
  answer({ headers, method = "GET", url = "/" }: Asking): OriginResponse | undefined {
    const { kind, basePath } = this.#options;
    if (kind === "none" || (method !== "GET" && method !== "HEAD")) return undefined;
    const isOwn = kind === "inspector" && basePath.remove(url).split("?")[0] === inspectorPath;
    if (!isOwn && !(prefersHtml(headers.accept) && this.isAt(url))) return undefined;
    const answer = this.#page(headers.host ?? "", isOwn);
    const known = headers["if-none-match"];
    const isKnown = known !== undefined && matchesEntityTag(known, fieldValue(answer.fields, "ETag") ?? "");
    return isKnown ? { ...answer, status: 304, body: "" } : answer;
  }

  #page(host: string, isOwn: boolean): OriginResponse {
    const { kind, facts, basePath, isLocal } = this.#options;
    if (kind === "line") return plainPage.answer({});
    this.#inspector ??= readInspector();
    const { command = "rocket", ...local } = facts ?? {};
    const told = isLocal() && isLoopback(host.replace(/:\d*$/, "")) ? local : {};
    return this.#inspector.answer({ base: basePath.text, place: isOwn ? "inspector" : "api", command, ...told });
  }
}
