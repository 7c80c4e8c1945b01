import type { IncomingMessage } from "node:http";
import { createProblem, type HttpResponse, problemResponse } from "../protocol/index.ts";
import type { ResolvedServerOptions } from "./options.ts";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const loopbackName = /^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return address === "::1" || loopbackName.test(address.toLowerCase());
}

/** The host of a Host field without its port, in lower case. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "");
}

/** True where a web origin is that of the host which a request names [R-SEC-1]. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const scheme = /^(https?):\/\/(.+)$/i.exec(origin);
  if (!scheme?.[2] || host === undefined) return false;
  // A TLS proxy in front hides the scheme, so a default port may stand on either side only.
  const withoutDefaultPort = (text: string) => text.toLowerCase().replace(/:(80|443)$/, "");
  return withoutDefaultPort(scheme[2]) === withoutDefaultPort(host);
}

/** Decides who may come in: by Host, against DNS rebinding, and by Origin, against foreign pages [R-SEC-1, R-SEC-2]. */
export class Access {
  readonly #options: ResolvedServerOptions;
  /** True once the server listens on loopback: then only loopback names and allowed ones are served. */
  isLocal = false;

  constructor(options: ResolvedServerOptions) {
    this.#options = options;
  }

  /** The refusal of a request, or `undefined` where it may go on. */
  refuse(request: IncomingMessage, isUpgrade: boolean): HttpResponse | undefined {
    const { host, origin } = request.headers;
    if (!this.#allowsHost(host)) {
      const named = host ?? "no host";
      this.#options.log(`Refused a request for ${JSON.stringify(named)}. To serve it: --allow-host ${hostName(named)}`);
      return problemResponse(createProblem(421, `This server does not answer for ${named}.`));
    }
    const needsOrigin = isUpgrade || !safeMethods.has(request.method ?? "GET");
    if (needsOrigin && origin !== undefined && !this.#allowsOrigin(origin, host)) {
      this.#options.log(
        `Refused ${request.url} to pages of ${JSON.stringify(origin)}. To allow it: --allow-origin ${origin}`,
      );
      return problemResponse(createProblem(403, `Pages of ${origin} may not use this server.`));
    }
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

  #allowsHost(host: string | undefined): boolean {
    if (host === undefined) return false;
    const name = hostName(host);
    if (this.#options.allowHosts.has(name)) return true;
    return this.isLocal ? isLoopback(name) : this.#options.allowHosts.size === 0;
  }

  #allowsOrigin(origin: string, host: string | undefined): boolean {
    return this.isListed(origin) || isOwnOrigin(origin, host);
  }
}
