import type { IncomingMessage } from "node:http";
import { createProblem, type HttpResponse, problemResponse } from "../protocol/index.ts";
import { answersFor, hostNameIn, inCommand, originInCommand } from "./named-host.ts";
import type { ResolvedServerOptions } from "./options.ts";
import { mostFields, refuseManyFields, refuseOtherCoding, settleTarget } from "./request-target.ts";

/** Of a request, what tells whether it may come in. */
export type Incoming = Pick<
  IncomingMessage,
  "headers" | "httpVersion" | "httpVersionMajor" | "method" | "rawHeaders" | "url"
>;

const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const foreignSites = new Set(["cross-site", "same-site"]);

/** True where a web origin is that of the host which a request names [R-SEC-1]. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const scheme = /^(https?):\/\/(.+)$/i.exec(origin);
  if (!scheme?.[2] || host === undefined) return false;
  // A TLS proxy in front hides the scheme, so a default port may stand on either side only.
  const withoutDefaultPort = (text: string) => text.toLowerCase().replace(/:(80|443)$/, "");
  return withoutDefaultPort(scheme[2]) === withoutDefaultPort(host);
}

/**
 * True where a page that the server does not know made the request: by its `Origin`, or, where that was left out, by what
 * the browser says of it in `Sec-Fetch-Site` [R-SEC-1].
 */
export function isForeignPage(
  { headers }: Pick<IncomingMessage, "headers">,
  allowOrigins: ReadonlySet<string>,
): boolean {
  const { origin, host, "sec-fetch-site": site = "" } = headers;
  if (origin !== undefined) return !allowOrigins.has(origin) && !isOwnOrigin(origin, host);
  return String(site)
    .split(",")
    .some((one) => foreignSites.has(one.trim().toLowerCase()));
}

const nobody: ReadonlySet<string> = new Set();

/** True where no page of another origin made the request, whoever is allowed to come in. */
export function isOwnPage(request: Pick<IncomingMessage, "headers">): boolean {
  return !isForeignPage(request, nobody);
}

/** The refusal of a host that the server does not answer for. Its name was found to be one, so it may be repeated. */
export function refuseHost(host: string | undefined): HttpResponse {
  const named = host ? `for ${host.slice(0, 300)}` : "without a host";
  return problemResponse(createProblem(421, `This server does not answer ${named}: it is not among its allowHosts.`));
}

/** The refusal of a page of another origin. */
export function refusePage(origin: string | undefined): HttpResponse {
  const named = origin === undefined ? "other sites" : (originInCommand(origin) ?? "that origin");
  return problemResponse(createProblem(403, `Pages of ${named} may not use this server.`));
}

/** Decides who may come in: by Host, against DNS rebinding, and by Origin, against foreign pages [R-SEC-1, R-SEC-2]. */
export class Access {
  readonly #options: ResolvedServerOptions;
  /** True once the server listens on loopback: then only loopback names and allowed ones are served. */
  isLocal = false;
  /** So many fields a request may have: where a server drops more than fewer without a word, its own bound [R-SEC-9]. */
  mostFields: number = mostFields;

  constructor(options: ResolvedServerOptions) {
    this.#options = options;
  }

  /**
   * Lets a request in, its target in origin-form and with the base path, and its `Host` the one that counts; or gives the refusal. Twice is fine.
   */
  admit(request: Incoming, isUpgrade: boolean): HttpResponse | undefined {
    const malformed = refuseManyFields(request, this.mostFields) ?? refuseOtherCoding(request) ?? settleTarget(request);
    if (malformed) return malformed;
    const { host, origin } = request.headers;
    const { allowHosts, allowOrigins } = this.#options;
    if (host === undefined || !answersFor(host, { allowHosts, isLocal: this.isLocal })) {
      this.#tell("Refused a request for another host", inCommand(hostNameIn(host ?? "") ?? ""), "--allow-host");
      return refuseHost(host);
    }
    const needsOrigin = isUpgrade || !safeMethods.has(request.method ?? "GET");
    if (needsOrigin && isForeignPage(request, allowOrigins)) {
      this.#tell(`Refused a ${request.method} of a foreign page`, originInCommand(origin ?? ""), "--allow-origin");
      return refusePage(origin);
    }
    request.url = this.#options.basePath.enter(request.url ?? "/");
    return undefined;
  }

  /** True where answers depend on the Origin that asks. */
  get hasList(): boolean {
    return this.#options.allowOrigins.size > 0;
  }

  /** True where the options, not the request's own Host, allow the origin: then answers may be read across origins. */
  isListed(origin: string | undefined): origin is string {
    return origin !== undefined && this.#options.allowOrigins.has(origin);
  }

  /** Nothing of what a peer sent is told but a name that was checked: the line is shown in terminals, and copied. */
  #tell(what: string, name: string | undefined, option: string): void {
    this.#options.log(name === undefined ? `${what}.` : `${what}: ${name}. To allow it: ${option} ${name}`);
  }
}
