import { deadlineOptions } from "./deadlines.ts";
import { openEntrances } from "./entrances.ts";
import { createHost, type RocketServer } from "./host.ts";
import type { ServerOptions } from "./options.ts";
import { createServing } from "./serving.ts";
import { createWebServer } from "./web-server.ts";

const requestTimeout = 30_000;

/**
 * Makes a server over an origin and its journal: plain HTTP goes to the origin, WebSockets to the hub.
 *
 * @throws RocketError `runtime-unsupported` on Bun; TypeError | RangeError naming the option and its value
 */
export function createServer(options: ServerOptions): RocketServer {
  const { tls, clock } = options;
  const { hub, access, listener, resolved, reportError, upgradesOf, onClosing } = createServing(options);
  const { server, sessions } = createWebServer({ ...deadlineOptions, requestTimeout, tls, clock, reportError });
  const upgrades = upgradesOf(server);
  openEntrances(server, {
    onRequest: (request, response) => listener.handle(request, response),
    onUpgrade: (request, socket, head) => upgrades.handle(request, socket, head),
    reportError,
  });
  const { drainMs } = resolved;
  const { sockets } = upgrades;
  return createHost({ server, sessions, hub, access, sockets, drainMs, clock, reportError, onClosing });
}
