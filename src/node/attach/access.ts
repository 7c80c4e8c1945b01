import type { HttpResponse } from "../../protocol/index.ts";
import { type Incoming, isForeignPage, refuseHost, refusePage } from "../access.ts";
import { answersFor, hostNameIn, inCommand, originInCommand } from "../named-host.ts";
import { mostFieldsOf, refuseManyFields, settleTarget } from "../request-target.ts";

/** How many hosts and web origins the process is warned of: more would be somebody's game. */
const maxWarnings = 20;

/** What decides who may follow an application. */
export interface AttachAccessParts {
  readonly allowOrigins: ReadonlySet<string>;
  readonly allowHosts: ReadonlySet<string>;
  /** Whether the server listens on a loopback address, where names that were rebound to it must not count. */
  readonly isLocal: () => boolean;
  /** The server's own bound of fields, which Node cuts off at; as `maxHeadersCount`. */
  readonly maxHeadersCount: () => number | null | undefined;
  /** Told of each refusal; absent: the process is warned, of each host and origin once. */
  readonly onRefused: ((error: Error) => void) | undefined;
}

/** Decides whose pages may follow the application, and by which hosts [R-SEC-1, R-SEC-2]. */
export class AttachAccess {
  readonly #parts: AttachAccessParts;
  readonly #warned: Set<string> = new Set();

  constructor(parts: AttachAccessParts) {
    this.#parts = parts;
  }

  /** Lets a handshake in, its target in origin-form and its `Host` the one that counts; or gives the refusal. */
  admit(request: Incoming): HttpResponse | undefined {
    const malformed = refuseManyFields(request, mostFieldsOf(this.#parts.maxHeadersCount())) ?? this.#settle(request);
    if (malformed) return malformed;
    const { host, origin } = request.headers;
    const { allowHosts, allowOrigins, isLocal } = this.#parts;
    if (host === undefined || !answersFor(host, { allowHosts, isLocal: isLocal() })) {
      this.#tell("a WebSocket for another host", inCommand(hostNameIn(host ?? "") ?? ""), "allowHosts");
      return refuseHost(host);
    }
    if (!isForeignPage(request, allowOrigins)) return undefined;
    this.#tell("a WebSocket of a foreign page", originInCommand(origin ?? ""), "allowOrigins");
    return refusePage(origin);
  }

  /** HTTP/2 has the one form by itself, but for the name of its host. */
  #settle(request: Incoming): HttpResponse | undefined {
    if (request.httpVersionMajor !== 2) return settleTarget(request);
    const authority = request.headers[":authority"];
    if (typeof authority === "string") request.headers.host ??= authority;
    return undefined;
  }

  /** Nothing of what a peer sent is told but a name that was checked. */
  #tell(what: string, name: string | undefined, option: string): void {
    const shown = name && JSON.stringify(name.replaceAll("'", ""));
    const text = shown
      ? `Refused ${what}: ${shown}. To allow it: attach(server, { ${option}: [${shown}] })`
      : `Refused ${what}.`;
    if (this.#parts.onRefused) {
      this.#parts.onRefused(new Error(text));
    } else if (!this.#warned.has(text) && this.#warned.size < maxWarnings) {
      this.#warned.add(text);
      process.emitWarning(text, "RocketWarning");
    }
  }
}
