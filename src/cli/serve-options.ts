import { statSync } from "node:fs";
import { showsPageByDefault } from "../node/index.ts";
import { CommandFailure } from "./failure.ts";
import { asksForTokens, type TokenFlags } from "./serve-tokens.ts";
import type { TlsOptions } from "./tls-files.ts";

/** What can be done with a collection, as `--only` and `--except` name it. */
export const actions = ["create", "read", "update", "destroy", "subscribe"] as const;

/** One of {@link actions}. */
export type Action = (typeof actions)[number];

/** What `rocket serve` serves, and how. */
export interface ServeOptions extends TlsOptions, TokenFlags {
  /** The path of a SQLite database, or the URL of one of PostgreSQL. */
  readonly database: string;
  /** The path of a Core Data model, whose tables the database has, or gets where it has none. Default none. */
  readonly model?: string;
  /** A Prisma schema, or a module of Drizzle's, or a folder of either, that names what the database has. Default none. */
  readonly models?: string;
  /** PostgreSQL's schemas whose tables are served. Default `public`. */
  readonly schemas?: readonly string[];
  /** Default 8080; 0 picks a free one. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`; another than loopback needs tokens, `readOnly` or `insecure`. */
  readonly host?: string;
  /** Only these tables. Default all. */
  readonly tables?: readonly string[];
  /** Only these actions. Default all. */
  readonly only?: readonly Action[];
  /** All actions but these. Default none. */
  readonly except?: readonly Action[];
  /** No writes. Default false. */
  readonly readOnly?: boolean;
  /** Web origins beside the server's own whose pages may use it. Default none. */
  readonly allowOrigins?: readonly string[];
  /** Host names beside loopback ones under which it may be reached. Default none. */
  readonly allowHosts?: readonly string[];
  /** A folder whose files are served beside the API. Default none. */
  readonly publicFolder?: string;
  /** Bytes that the body of a write may have. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Files of SQLite extensions that the database needs. Default none. */
  readonly extensions?: readonly string[];
  /** A JavaScript module: what functions it exports are functions of SQL. Default none. */
  readonly functionsModule?: string;
  /** The file with row rules. Default: `rocket.rules.json` in the working directory, if there is one. */
  readonly rules?: string;
  /** Milliseconds that a read may take. Default 5,000. */
  readonly readTimeoutMs?: number;
  /** How many threads do the reads that take long. Default 2. */
  readonly readThreads?: number;
  /** The path below which clients see the server. Default: the root. */
  readonly basePath?: string;
  /** Create the database if there is none, or an empty file. Default false. */
  readonly create?: boolean;
  /** Whether browsers are shown the page that shows what is there. Default: unless `NODE_ENV` is `production`. */
  readonly page?: boolean;
  /** Serve writes to everyone who can reach the host. Default false. */
  readonly insecure?: boolean;
  /** Remove what Rocket added to the database, instead of serving it. Default false. */
  readonly detach?: boolean;
  /** What to type for another port, where it isn't `--port 8081`. */
  readonly portHint?: string;
  /** What to type for this command, where it isn't `rocket`. */
  readonly commandHint?: string;
  /** Called with the URL once connections are accepted. */
  onListening?(url: string): void;
}

/** True for an address that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** `http://HOST:PORT`, with the brackets that an IPv6 address needs. */
export function urlOf(host: string, port: number, scheme: "http" | "https" = "http"): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** @throws CommandFailure where a host that others can reach would serve writes to everyone */
export function checkHost(options: ServeOptions): void {
  const { host = "127.0.0.1", readOnly = false, insecure = false } = options;
  if (isLoopbackHost(host) || readOnly || insecure || asksForTokens(options)) return;
  throw new CommandFailure(
    `Listening on ${host} (--host, or HOST) would let everyone who can reach this machine write to the database: add --read-only, or --insecure if that is what you want; or ask for tokens (--token-env, --jwt-secret-env, --jwks) or a sign-in (--users).`,
    2,
  );
}

/** @throws CommandFailure where there is no folder of that path */
export function checkPublicFolder({ publicFolder }: ServeOptions): void {
  if (publicFolder === undefined || statSync(publicFolder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new CommandFailure(`--public: there is no folder ${JSON.stringify(publicFolder)}.`);
}

/** Whether browsers are shown the page that shows what is there. */
export function showsPage({ page }: Pick<ServeOptions, "page">): boolean {
  return page ?? showsPageByDefault();
}
