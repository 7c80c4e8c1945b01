import type { RocketServer } from "../node/index.ts";
import { CommandFailure, explain } from "./failure.ts";
import { urlOf } from "./serve-options.ts";
import { systemErrorCode } from "./system-error.ts";
import type { TlsOptions } from "./tls-files.ts";

/** Where to listen, as a command was told. */
export interface ListenOptions extends TlsOptions {
  readonly port?: number;
  readonly host?: string;
  /** What to type for another port, where it isn't `--port 8081`. */
  readonly portHint?: string;
}

/**
 * Has a server listen, and gives its URL.
 *
 * @throws CommandFailure with what to do where the address can't be had
 */
export async function listen(server: RocketServer, options: ListenOptions): Promise<string> {
  const { port = 8080, host = "127.0.0.1", portHint = `--port ${port === 8081 ? 8082 : 8081}` } = options;
  try {
    const address = await server.listen(port, host);
    return urlOf(address.host, address.port, options.tlsCert === undefined ? "http" : "https");
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (systemErrorCode(cause) !== "EADDRINUSE") {
      throw new CommandFailure(`Can't listen on ${host}:${port}: ${explain(cause)}.`, 1, { cause });
    }
    const advice = `stop that, or take another port: ${portHint}`;
    throw new CommandFailure(`Port ${port} is in use by another program: ${advice}.`, 1, { cause });
  }
}
