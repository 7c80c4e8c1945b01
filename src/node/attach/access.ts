import type { IncomingMessage } from "node:http";
import { createProblem, type HttpResponse, problemResponse } from "../../protocol/index.ts";
import { isOwnOrigin } from "../access.ts";

/** How many web origins the process is warned of: more would be somebody's game. */
const maxWarnings = 20;

/** Decides whose pages may follow the application [R-SEC-1]. Which hosts it answers for is the application's matter. */
export class AttachAccess {
  readonly #allowed: ReadonlySet<string>;
  readonly #onRefused: ((error: Error) => void) | undefined;
  readonly #warned: Set<string> = new Set();

  /** @param onRefused - told of each refusal; absent: the process is warned, of each origin once */
  constructor(allowed: ReadonlySet<string>, onRefused: ((error: Error) => void) | undefined) {
    this.#allowed = allowed;
    this.#onRefused = onRefused;
  }

  /** The refusal of a handshake, or `undefined` where it may go on. */
  refuse(request: IncomingMessage): HttpResponse | undefined {
    const { host, origin } = request.headers;
    if (origin === undefined || this.#allowed.has(origin) || isOwnOrigin(origin, host)) return undefined;
    this.#tell(request.url ?? "/", origin);
    return problemResponse(createProblem(403, `Pages of ${origin} may not use this server.`));
  }

  #tell(target: string, origin: string): void {
    const shown = JSON.stringify(origin.slice(0, 200));
    const text = `Refused a WebSocket to ${target.slice(0, 200)} from pages of ${shown}. To allow it: attach(server, { allowOrigins: [${shown}] })`;
    if (this.#onRefused) {
      this.#onRefused(new Error(text));
    } else if (!this.#warned.has(origin) && this.#warned.size < maxWarnings) {
      this.#warned.add(origin);
      process.emitWarning(text, "RocketWarning");
    }
  }
}
