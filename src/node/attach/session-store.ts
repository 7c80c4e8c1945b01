import type { IncomingMessage } from "node:http";
import { isMarked } from "./rocket-request.ts";

type Method = (this: unknown, ...parameters: unknown[]) => unknown;

const guarded = new WeakSet<object>();

/** True for a session that was read for a request of Rocket's own: express-session's know their request. */
function isOfRocket(session: unknown): boolean {
  const request: unknown = typeof session === "object" && session !== null ? Reflect.get(session, "req") : undefined;
  return typeof request === "object" && request !== null && isMarked(Reflect.get(request, "socket"));
}

/** Has a store leave a session alone where a request of Rocket's own would write it; all other calls go through. */
function guardMethod(store: object, name: "set" | "touch"): void {
  const method: unknown = Reflect.get(store, name);
  if (typeof method !== "function") return;
  const original = method as Method;
  const value: Method = function (...parameters) {
    if (!isOfRocket(parameters[1])) return original.apply(this, parameters);
    const done = parameters.at(-1);
    if (typeof done === "function") setImmediate(done as () => void);
    return undefined;
  };
  Object.defineProperty(store, name, { value, writable: true, configurable: true, enumerable: false });
}

function guardStore(store: unknown): void {
  if (typeof store !== "object" || store === null || guarded.has(store)) return;
  guarded.add(store);
  try {
    for (const name of ["set", "touch"] as const) guardMethod(store, name);
  } catch {
    // A store that can't be changed stays as it is.
  }
}

/**
 * Has a request of Rocket's own write no session back: its copy is older than what its user may have written meanwhile.
 * The store is known where the application's session middleware puts it on the request, as express-session does.
 */
export function guardSessions(request: IncomingMessage): void {
  let store: unknown;
  Object.defineProperty(request, "sessionStore", {
    get: () => store,
    set(value: unknown) {
      store = value;
      guardStore(value);
    },
    configurable: true,
    enumerable: true,
  });
}
