import type { IncomingMessage } from "node:http";
import {
  createProblem,
  type Field,
  fieldValue,
  matchesEntityTag,
  problemResponse,
  varyBy,
  wellKnownPath,
} from "../../protocol/index.ts";
import type { BasePath, OriginResponse } from "../../server/index.ts";
import { isOwnPage } from "../access.ts";
import { isLoopback } from "../named-host.ts";
import { prefersHtml } from "../prefers-html.ts";
import { missingPage, type PageFile, plainPage, readInspector } from "./page-file.ts";
import type { PageFacts, PageKind } from "./page-options.ts";

/** What is answered to browsers, and where. */
export interface PageDeskOptions {
  readonly kind: PageKind;
  readonly facts?: PageFacts | undefined;
  readonly basePath: BasePath;
  /** Whether the page is also at `/` and at the origin's URLs that it shows; else at its own URL only. */
  readonly isAtResources: boolean;
  readonly isShown: (target: string) => boolean;
  /** Whether a URL is the origin's, shown or not; absent: none is. */
  readonly isOwned?: (target: string) => boolean;
  /** Whether only this machine reaches the server. */
  readonly isLocal: () => boolean;
  /** Who follows what. */
  readonly state: () => object;
}

/** The page's own URL. */
const inspectorPath = `${wellKnownPath}/inspector`;
const statePath = `${inspectorPath}/state`;

/** What proxies add to what they pass on. Who comes through one may be anywhere, whatever `Host` it says. */
const frontFields = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

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
    const { kind, basePath, isAtResources, isShown } = this.#options;
    const [path = ""] = basePath.remove(url).split("?");
    if (kind === "none" || !isAtResources) return false;
    return path === "/" || (kind === "inspector" && isShown(url));
  }

  /** The page; `undefined` where something else is asked for. */
  answer({ headers, method = "GET", url = "/" }: Asking): OriginResponse | undefined {
    const { kind, basePath } = this.#options;
    if (kind === "none" || (method !== "GET" && method !== "HEAD")) return undefined;
    const [path] = basePath.remove(url).split("?");
    if (kind === "inspector" && path === statePath) return this.#state(headers);
    const isOwn = kind === "inspector" && path === inspectorPath;
    if (!isOwn && !(prefersHtml(headers.accept) && this.isAt(url))) return undefined;
    const answer = this.#page(headers, isOwn);
    const known = headers["if-none-match"];
    const isKnown = known !== undefined && matchesEntityTag(known, fieldValue(answer.fields, "ETag") ?? "");
    return isKnown ? { ...answer, status: 304, body: "" } : answer;
  }

  /** Whether a browser is told by a page that nothing is at a URL. */
  saysMissing(url: string): boolean {
    const { kind, isAtResources, isOwned } = this.#options;
    return kind === "inspector" && isAtResources && isOwned?.(url) !== true;
  }

  /** What browsers are answered where a GET finds nothing: a page that says so, and leads to what there is. Others are given the answer. */
  missing({ headers }: Asking, answer: OriginResponse): OriginResponse {
    if (prefersHtml(headers.accept)) return missingPage(`${this.#options.basePath.text}/`, answer.body);
    return { ...answer, fields: varyBy(answer.fields, "Accept") };
  }

  /** Whether it is asked on this machine, by a name of it and not through a front: what is shown then is the operator's own to see. */
  #isLocal(headers: Asking["headers"]): boolean {
    const host = (headers.host ?? "").replace(/:\d*$/, "");
    return this.#options.isLocal() && isLoopback(host) && !frontFields.some((name) => headers[name] !== undefined);
  }

  /** Whether that machine's operator alone can ask: where tokens are asked for, others than those who have one may not. */
  #tellsState(headers: Asking["headers"]): boolean {
    return this.#isLocal(headers) && this.#options.facts?.tellsState !== false;
  }

  #state(headers: Asking["headers"]): OriginResponse {
    if (!this.#tellsState(headers) || !isOwnPage({ headers })) {
      return problemResponse(
        createProblem(403, "Who follows what is told on the server's own machine only, where no tokens are asked for."),
      );
    }
    const fields: readonly Field[] = [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-store"],
    ];
    const { rss: memoryBytes } = process.memoryUsage();
    const state = { ...this.#options.state(), memoryBytes, uptimeSeconds: Math.floor(process.uptime()) };
    return { status: 200, fields, body: JSON.stringify(state) };
  }

  #page(headers: Asking["headers"], isOwn: boolean): OriginResponse {
    const { kind, facts, basePath } = this.#options;
    if (kind === "line") return plainPage.answer({});
    this.#inspector ??= readInspector();
    const { command = "npx rocket", hasAccounts = false, tellsState: _, ...local } = facts ?? {};
    const told = this.#tellsState(headers) ? { ...local, hasState: true } : {};
    const place = isOwn ? "inspector" : "api";
    return this.#inspector.answer({ base: basePath.text, place, command, hasAccounts, ...told });
  }
}

/** Whether the page is shown where nothing is said of it: not in production. */
export function showsPageByDefault(): boolean {
  return process.env.NODE_ENV !== "production";
}

/**
 * The page for what is somebody else's: at its own URL only.
 *
 * @param isShown - default: not in production
 */
export function ownPage(
  isShown: boolean | undefined,
  basePath: BasePath,
  parts: Pick<PageDeskOptions, "isLocal" | "facts" | "state">,
): PageDesk {
  const kind = (isShown ?? showsPageByDefault()) ? "inspector" : "none";
  return new PageDesk({ kind, basePath, isAtResources: false, isShown: () => false, ...parts });
}
