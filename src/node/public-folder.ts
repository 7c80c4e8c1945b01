import { type Stats, statSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, isAbsolute, join, relative, sep } from "node:path";
import send from "send";
import { createProblem, type Field, problemResponse } from "../protocol/index.ts";
import type { BasePath } from "../server/index.ts";
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

const indexName = "index.html";
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

/** Whether a path below a folder names a file, or a folder with an index. */
async function isThere(root: string, names: readonly string[]): Promise<boolean> {
  const found = await look(root, names);
  return (found?.isDirectory() ? await look(root, [...names, indexName]) : found)?.isFile() ?? false;
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
      const root = await this.#rootOf(names);
      if (root !== undefined) return this.#send(request, response, root, path, fields);
      if (extname(names.at(-1) ?? "") !== "") return false;
    }
    response.appendHeader("Vary", "Accept");
    const root = prefersHtml(request.headers.accept) ? await this.#rootOf([indexName]) : undefined;
    return root !== undefined && this.#send(request, response, root, `/${indexName}`, fields);
  }

  /** The folder itself, links followed, where it has that file; it may be replaced while it is served. */
  async #rootOf(names: readonly string[]): Promise<string | undefined> {
    try {
      const root = await realpath(this.#options.path);
      return (await isThere(root, names)) ? root : undefined;
    } catch {
      return undefined;
    }
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    root: string,
    path: string,
    fields: readonly Field[],
  ): true {
    for (const [name, value] of fields) response.appendHeader(name, value);
    response.setHeader("X-Content-Type-Options", "nosniff");
    send(request, path, { root })
      .on("error", (error: SendError) => this.#fail(response, error))
      .on("directory", () => this.#addSlash(request, response))
      .pipe(response);
    return true;
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
