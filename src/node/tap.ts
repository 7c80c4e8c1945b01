import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import { connectionEvent } from "./connection-event.ts";
import { replayPlain } from "./plain-request.ts";

/** An event that a server is about to tell its listeners. */
export interface Tapped {
  readonly event: string | symbol;
  readonly parameters: readonly unknown[];
  /** Of a further server of the same application, whose WebSockets are its own. */
  readonly isOther: boolean;
  /** Tells the listeners after all. */
  readonly proceed: () => void;
}

/** What is done with what passes through a server. */
export interface TapParts {
  readonly server: Server;
  /** True where an event is not the listeners'. Must not throw. */
  readonly before: (tapped: Tapped) => boolean;
  /** The application closes the server. Must not throw. */
  readonly onClose: () => void;
}

type Emit = (event: string | symbol, ...parameters: unknown[]) => boolean;
type Close = (callback?: (error?: Error) => void) => Server;
type UpgradeEvent = [request: IncomingMessage, socket: Socket, head: Buffer];

interface RequestStart {
  readonly server: Server;
}

const requestStart = "http.server.request.start";
/** Listeners for upgrades that are there so that servers tell of upgrades at all. */
const placeholders = new WeakSet<object>();
/** Upgrades that nobody took, and that came back as plain requests. */
const replayed = new WeakSet<IncomingMessage>();

/** Whether somebody else than Rocket listens for a server's upgrades. */
export function hasOtherUpgrades(server: Server): boolean {
  return server.listeners("upgrade").some((listener) => !placeholders.has(listener));
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}

/** Puts a method of one object's own before what it had; gives what takes it away again. */
function override<Key extends "emit" | "close">(server: Server, key: Key, method: Server[Key]): () => void {
  const had = Object.getOwnPropertyDescriptor(server, key);
  Object.defineProperty(server, key, { value: method, writable: true, configurable: true, enumerable: false });
  return () => {
    // Where somebody has put another one before ours, ours stays below it and does nothing.
    if (server[key] !== method) return;
    if (had) Object.defineProperty(server, key, had);
    else Reflect.deleteProperty(server, key);
  };
}

/**
 * Stands before a server's listeners by way of its `emit`. A listener of its own would not do: others that listen for
 * upgrades answer, end or take over whatever they see.
 */
export class Tap {
  /** False once it was stopped: everything passes. */
  isActive = true;
  readonly #parts: TapParts;
  readonly #seen: WeakSet<IncomingMessage> = new WeakSet();
  readonly #restore: (() => void)[] = [];
  /** Further servers of the same application. */
  readonly #others: WeakSet<Server> = new WeakSet();

  constructor(parts: TapParts) {
    this.#parts = parts;
    const { server } = parts;
    this.#restore.push(override(server, "emit", this.#emitBefore(server.emit as Emit, false) as Server["emit"]));
    this.#restore.push(override(server, "close", this.#closeBefore(server.close as Close) as Server["close"]));
    // Without a listener the server does not tell of upgrades at all.
    placeholders.add(this.#onLeftUpgrade);
    server.on("upgrade", this.#onLeftUpgrade);
    subscribe(requestStart, this.#onRequestStart);
  }

  /** Takes everything away again. Twice is fine. */
  stop(): void {
    this.isActive = false;
    this.#parts.server.off("upgrade", this.#onLeftUpgrade);
    unsubscribe(requestStart, this.#onRequestStart);
    for (const restore of this.#restore.splice(0).reverse()) restore();
  }

  #emitBefore(original: Emit, isOther: boolean): Emit {
    const before = (self: unknown, event: string | symbol, parameters: unknown[]): boolean => {
      if (!this.isActive) return false;
      if (event === "upgrade" && !isOther) this.#seen.add(parameters[0] as IncomingMessage);
      const proceed = (): void => void original.call(self, event, ...parameters);
      return this.#parts.before({ event, parameters, isOther, proceed });
    };
    return function emit(this: unknown, event, ...parameters) {
      return before(this, event, parameters) || original.call(this, event, ...parameters);
    };
  }

  #closeBefore(original: Close): Close {
    const before = (): void => {
      if (this.isActive) this.#parts.onClose();
    };
    return function close(this: Server, callback) {
      before();
      return original.call(this, callback);
    };
  }

  /** An upgrade that was told past our `emit`, by one that somebody kept from before; or that nobody has taken. */
  readonly #onLeftUpgrade = (...parameters: UpgradeEvent): void => {
    const [request, socket, head] = parameters;
    const { server, before } = this.#parts;
    const proceed = (): void => undefined;
    const isNew = this.isActive && !this.#seen.has(request);
    if (isNew && before({ event: "upgrade", parameters, isOther: false, proceed })) replayed.add(request);
    if (replayed.has(request) || hasOtherUpgrades(server)) return;
    replayed.add(request);
    replayPlain(server, connectionEvent(server), request, socket, head);
  };

  /** Frameworks that listen on several addresses do so by several servers, of which only the first is known. */
  readonly #onRequestStart = (message: unknown): void => {
    const { server } = message as RequestStart;
    if (server === this.#parts.server || this.#others.has(server)) return;
    const port = portOf(this.#parts.server);
    if (port === undefined || port !== portOf(server)) return;
    // It tells of this very request next.
    this.#others.add(server);
    this.#restore.push(override(server, "emit", this.#emitBefore(server.emit as Emit, true) as Server["emit"]));
  };
}
