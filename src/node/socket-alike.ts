import { Duplex } from "node:stream";

/** Where a socket's ends are, as `net.Socket` tells. */
export interface SocketEnds {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/**
 * A stream that a server takes for a client's connection: it has the methods and properties of a socket that servers,
 * frameworks and applications use.
 */
export abstract class SocketAlike extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly connecting: boolean = false;
  readonly pending: boolean = false;
  readonly timeout: number = 0;
  readonly server: unknown;
  bytesRead = 0;

  constructor(server: unknown, ends: SocketEnds) {
    super({ allowHalfOpen: true });
    this.server = server;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
    this.remoteFamily = ends.remoteFamily;
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
  }

  get readyState(): string {
    if (this.destroyed) return "closed";
    return this.writable ? "open" : "readOnly";
  }

  /** As a socket's: what was written goes out first. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** It has no idle time of its own: who made it bounds that. */
  setTimeout(_ms: number, _callback?: () => void): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  _unrefTimer(): void {}

  address(): object {
    return { address: this.localAddress, port: this.localPort, family: this.remoteFamily };
  }
}
