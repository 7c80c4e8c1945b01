import { type Stats, statSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, isAbsolute, join, relative, sep } from "node:path";
import compression from "compression";
import mimeTypes from "mime-types";
import send from "send";
import { createProblem, type Field, problemResponse } from "../protocol/index.ts";
import type { BasePath } from "../server/index.ts";
import { type Coding, chooseCoding } from "./compression.ts";
import { isHashedName } from "./hashed-name.ts";
import { prefersHtml } from "./prefers-html.ts";
import { sendAnswer } from "./send-answer.ts";

/** What files are served, and where. */
export interface PublicFolderOptions {
  readonly path: string;
  /** The URLs that no file stands in for. */
  readonly owns: (target: string) => boolean;
  /** The path below which the files are. */
  readonly basePath: BasePath;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** What `send` says of a file that it can't send. */
interface SendError extends Error {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What lies in the folder at a path. */
interface Found {
  /** The folder itself, links followed. */
  readonly root: string;
  /** The file's path below it, name by name; a folder's is that of its index. */
  readonly names: readonly string[];
  readonly isFolder: boolean;
}

const indexName = "index.html";
const yearMs = 365 * 24 * 60 * 60 * 1_000;
/** Files beside a file that have it compressed, as build tools make them. */
const endings: Readonly<Record<Coding, string>> = { br: ".br", gzip: ".gz" };
const compress = compression({
  // A part of a file is one of its own bytes.
  filter: (request, response) =>
    response.statusCode === 200 && request.headers.range === undefined && compression.filter(request, response),
});
const troubles: Readonly<Record<number, string>> = {
  404: "There is no such file.",
  412: "If-Match or If-Unmodified-Since does not hold.",
  416: "The file has no such range.",
};

/** The names in a path, without empty ones; `undefined` where it is malformed, or one is hidden (`.env`) or leads up. */
function namesIn(path: string): string[] | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const names = decoded.split("/").filter((name) => name !== "");
  const isRefused = decoded.includes("\0") || names.some((name) => name.startsWith("."));
  return isRefused ? undefined : names;
}

function isInside(root: string, file: string): boolean {
  const way = relative(root, file);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** What a path below a folder names; `undefined` where a link leads out of it. */
async function look(root: string, names: readonly string[]): Promise<Stats | undefined> {
  const file = await realpath(join(root, ...names));
  return isInside(root, file) ? stat(file) : undefined;
}

async function isFile(root: string, names: readonly string[]): Promise<boolean> {
  try {
    return (await look(root, names))?.isFile() ?? false;
  } catch {
    return false;
  }
}

function pathOf(names: readonly string[]): string {
  return `/${names.map(encodeURIComponent).join("/")}`;
}

/** Serves the files of a folder beside an origin: a built front end, with its index for whatever page is unknown. */
export class PublicFolder {
  readonly #options: PublicFolderOptions;

  /** @throws TypeError where there is no such folder */
  constructor(options: PublicFolderOptions) {
    if (!statSync(options.path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new TypeError(`publicFolder: there is no folder ${JSON.stringify(options.path)}.`);
    }
    this.#options = options;
  }

  /**
   * Answers a request with a file, or leaves it to the origin: then the result is false.
   *
   * @param fields - what the answer has beside the file's own fields
   */
  async take(request: IncomingMessage, response: ServerResponse, fields: readonly Field[]): Promise<boolean> {
    const { method, url = "/" } = request;
    const [path = ""] = this.#options.basePath.remove(url).split("?");
    const isStart = path === "/";
    if ((method !== "GET" && method !== "HEAD") || (!isStart && this.#options.owns(url))) return false;
    const names = namesIn(path);
    if (!names) return false;
    if (!isStart) {
      const found = await this.#find(names);
      if (found) return this.#send(request, response, found, fields);
      if (extname(names.at(-1) ?? "") !== "") return false;
    }
    response.appendHeader("Vary", "Accept");
    const found = prefersHtml(request.headers.accept) ? await this.#find([indexName]) : undefined;
    return found !== undefined && this.#send(request, response, found, fields, true);
  }

  /** What lies at a path; the folder may be replaced while it is served. */
  async #find(names: readonly string[]): Promise<Found | undefined> {
    try {
      const root = await realpath(this.#options.path);
      const isFolder = (await look(root, names))?.isDirectory() ?? false;
      const file = isFolder ? [...names, indexName] : names;
      return (await isFile(root, file)) ? { root, names: file, isFolder } : undefined;
    } catch {
      return undefined;
    }
  }

  /** @param isPage - whether the file stands for a URL that is not its own */
  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    { root, names, isFolder }: Found,
    fields: readonly Field[],
    isPage = false,
  ): Promise<true> {
    const [path = ""] = (request.url ?? "/").split("?");
    for (const [name, value] of fields) response.appendHeader(name, value);
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (isFolder && !path.endsWith("/")) {
      this.#addSlash(request, response);
      return true;
    }
    const ending = await this.#chooseCompressed(request, response, root, names);
    const age = isHashedName(names) ? { maxAge: yearMs, immutable: true } : {};
    // A slash behind a file's name names nothing.
    const slash = !isPage && !isFolder && path.endsWith("/") ? "/" : "";
    const pass = (): void => {
      send(request, pathOf(names) + ending + slash, { root, ...age })
        .on("error", (error: SendError) => this.#fail(response, error))
        .pipe(response);
    };
    if (ending === "") compress(request as never, response as never, pass);
    else pass();
    return true;
  }

  /** Chooses a compressed file beside a file, and says so in the answer; gives what its name has more. */
  async #chooseCompressed(
    request: IncomingMessage,
    response: ServerResponse,
    root: string,
    names: readonly string[],
  ): Promise<string> {
    const name = names.at(-1) ?? "";
    const available: Coding[] = [];
    for (const coding of ["br", "gzip"] as const) {
      if (await isFile(root, [...names.slice(0, -1), name + endings[coding]])) available.push(coding);
    }
    const coding = chooseCoding(`${request.headers["accept-encoding"] ?? ""}`, available);
    if (coding === undefined) return "";
    response.appendHeader("Vary", "Accept-Encoding");
    response.setHeader("Content-Encoding", coding);
    response.setHeader("Content-Type", mimeTypes.contentType(name) || "application/octet-stream");
    return endings[coding];
  }

  /** A folder's index has the folder's URL with a slash: else what it links to would be sought beside the folder. */
  #addSlash({ url = "/" }: IncomingMessage, response: ServerResponse): void {
    const [path = "", ...query] = url.split("?");
    // A second slash at the beginning would name a host.
    const fields: Field[] = [["Location", [`${path.replace(/^\/+/, "/")}/`, ...query].join("?")]];
    sendAnswer(response, { status: 301, fields, body: "" });
  }

  #fail(response: ServerResponse, error: SendError): void {
    if (error.status >= 500) this.#options.reportError(error, "public");
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const problem = createProblem(error.status, troubles[error.status] ?? "The file could not be read.");
    sendAnswer(response, problemResponse(problem, Object.entries(error.headers ?? {})));
  }
}
