import { trimEndOf } from "../../protocol/index.ts";
import {
  BasePath,
  type DerivedOptions,
  type ErrorHandler,
  type HubLimits,
  type HubOptions,
} from "../../server/index.ts";
import { parseAllowedHost, parseWebOrigin } from "../options.ts";

/** Bounds on what followers can ask of the application. */
export interface AttachLimits extends HubLimits {
  /** Bytes that a document may have to be followed. Default 8 MiB; 1 KiB to 1 GiB. A larger one is refused with 413. */
  readonly maxDocumentBytes: number;
}

/** How an application is made live. Nothing here is needed. */
export interface AttachOptions
  extends Pick<
      DerivedOptions,
      "anonymous" | "coalesceMs" | "maxTotalDocumentBytes" | "records" | "refreshMs" | "staleness" | "viewer"
    >,
    Pick<HubOptions, "requestFields" | "requestsInBand"> {
  /**
   * The paths that can be followed, each with all that is below it (`["/api"]`), or a function that tells by the path as
   * it was sent. `//api` and `/%61pi` are other paths than `/api`.
   * WebSockets that are opened there without a subprotocol are Rocket's then, even beside other WebSocket servers. A GET
   * there must be safe. Default: every path can be followed, and WebSockets without a subprotocol are Rocket's where no
   * other WebSocket server listens.
   */
  readonly paths?: readonly string[] | ((path: string) => boolean);
  /**
   * Below which path the application's routes are, as clients know it by `createClient("/api")`: Rocket answers
   * `/api/.well-known/rocket`, too [R-WK-5]. The application is asked as clients ask: what stands in front leaves the path as
   * it is. Default: the root, and each of `paths` that is text.
   */
  readonly basePath?: string;
  /**
   * Web origins beside the application's own whose pages may follow it: `https://app.example.com`. Default none: their
   * handshakes are refused with 403 [R-SEC-1].
   */
  readonly allowOrigins?: readonly string[];
  /**
   * Host names, without port, by which the application may be followed. Where the server listens on a loopback address,
   * they are added to the loopback names; elsewhere they are the whole list. Other handshakes are refused with 421
   * [R-SEC-2]. Default: loopback names only on a loopback address, every name elsewhere.
   */
  readonly allowHosts?: readonly string[];
  /**
   * What the application keeps, told to clients at `/.well-known/rocket` [R-WK-4]: `["idempotency-key"]` where it does a write
   * once that comes again with the same `Idempotency-Key`, and gives the first answer again. Clients then repeat writes whose
   * answer was lost. `"batch"` where it takes several writes at once [R-BATCH-1]. Default: nothing.
   */
  readonly promises?: readonly ("idempotency-key" | "batch")[];
  /**
   * Whether `/.well-known/rocket/inspector` is a page on which any URL of the application can be followed, with the wire
   * beside it. Default: unless `NODE_ENV` is `production`.
   */
  readonly page?: boolean;
  /** Bounds; each has a default. */
  readonly limits?: Partial<AttachLimits>;
  /**
   * Told of errors that no peer is told the text of, and of refused hosts and web origins. What it throws is dropped.
   * Default: these refusals, and documents that are not as `records` says, are a warning of the process, each once; nothing
   * else is told.
   */
  readonly onError?: ErrorHandler;
}

/** Tells which URLs may be followed. */
export interface PathFilter {
  /** @param target - path and query, as sent */
  includes(target: string): boolean;
}

/** Options with every default filled in. */
export interface ResolvedAttachOptions {
  readonly paths: PathFilter | undefined;
  /** The bases below which clients look for the well-known URL, beside the root. */
  readonly bases: readonly BasePath[];
  readonly allowOrigins: ReadonlySet<string>;
  readonly allowHosts: ReadonlySet<string>;
  readonly derived: DerivedOptions;
  readonly limits: Partial<HubLimits>;
  readonly maxDocumentBytes: number;
  readonly inBand: Pick<HubOptions, "requestFields" | "requestsInBand">;
  readonly promises: readonly string[];
  readonly page: boolean | undefined;
  readonly onError: AttachOptions["onError"];
}

/**
 * A path just as the application is asked for it: what it makes of `//`, or of a letter that is percent-encoded, nobody
 * else knows. `undefined` for one that leads up in any spelling.
 */
function askedPath(target: string): string | undefined {
  const path = target.split("?")[0] ?? "";
  try {
    return /(?:^|[/\\])\.{1,2}(?:[/\\]|$)/.test(decodeURIComponent(path)) ? undefined : path;
  } catch {
    return undefined;
  }
}

function pathFilterOf(paths: AttachOptions["paths"]): PathFilter | undefined {
  if (paths === undefined) return undefined;
  if (typeof paths === "function") {
    return { includes: (target) => paths(target.split("?")[0] ?? "") };
  }
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === "string" && /^\/[^?#]*$/.test(path))) {
    throw new TypeError(
      `paths must be paths that begin with a slash, as in ["/api"], or a function, not ${JSON.stringify(paths)}.`,
    );
  }
  const roots = paths.map((path) => trimEndOf(new URL(`http://localhost${path}`).pathname, "/"));
  return {
    includes(target) {
      const path = askedPath(target);
      return path !== undefined && roots.some((root) => path === root || path.startsWith(`${root}/`));
    },
  };
}

function basesOf({ basePath, paths = [] }: AttachOptions): readonly BasePath[] {
  if (basePath !== undefined && typeof basePath !== "string") {
    throw new TypeError(`basePath must be a path, as in "/api", not ${JSON.stringify(basePath)}.`);
  }
  const roots = typeof paths === "function" ? [] : paths.filter((path) => isBasePath(path));
  return [...(basePath === undefined ? [] : [basePath]), ...roots].map((path) => new BasePath(path));
}

/** Whether a path is one that a client's base can be. */
function isBasePath(path: string): boolean {
  try {
    return new BasePath(path).text !== "";
  } catch {
    return false;
  }
}

function documentLimit(value = 8 * 1024 * 1024): number {
  if (Number.isInteger(value) && value >= 1024 && value <= 1024 ** 3) return value;
  throw new RangeError(`limits.maxDocumentBytes must be a whole number from 1024 to ${1024 ** 3}, not ${value}.`);
}

const derivedNames = [
  "anonymous",
  "coalesceMs",
  "maxTotalDocumentBytes",
  "records",
  "refreshMs",
  "staleness",
  "viewer",
] as const;

const known = new Set([
  "allowHosts",
  "allowOrigins",
  "basePath",
  "limits",
  "onError",
  "paths",
  "promises",
  "page",
  "requestFields",
  "requestsInBand",
  ...derivedNames,
] satisfies (keyof AttachOptions)[]);

/**
 * Fills in the defaults and checks what was given; the hub checks what is the hub's.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveAttachOptions(options: AttachOptions): ResolvedAttachOptions {
  const stranger = Object.keys(options).find((name) => !known.has(name as keyof AttachOptions));
  if (stranger !== undefined) {
    throw new TypeError(`${stranger} is no option of attach; there are ${[...known].join(", ")}.`);
  }
  const { paths, allowOrigins = [], allowHosts = [], limits = {}, promises = [], onError } = options;
  const { requestFields, requestsInBand } = options;
  const { maxDocumentBytes, ...hubLimits } = limits;
  return {
    paths: pathFilterOf(paths),
    bases: basesOf(options),
    allowOrigins: new Set(allowOrigins.map(parseWebOrigin)),
    allowHosts: new Set(allowHosts.map(parseAllowedHost)),
    derived: Object.fromEntries(
      derivedNames.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
    ),
    inBand: { ...(requestFields && { requestFields }), ...(requestsInBand !== undefined && { requestsInBand }) },
    promises,
    page: options.page,
    limits: hubLimits,
    maxDocumentBytes: documentLimit(maxDocumentBytes),
    onError,
  };
}
