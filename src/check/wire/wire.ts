import { connect, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** The address in an `http:`, `https:`, `ws:` or `wss:` URL. */
export function addressOf(url: URL): Address {
  const isSecure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, isSecure };
}

/** A connection as bytes: whatever is written goes out, and what comes waits until it is read. */
export class Wire {
  readonly socket: Socket;
  /** Why the connection broke, where it did. */
  error: Error | undefined;
  #waiting: Buffer[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => {
      this.#waiting.push(data);
      this.#wake();
    });
    socket.on("error", (error) => {
      this.error = error;
      this.#end();
    });
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  /** Connects. @throws Error where nobody listens, or not within `limitMs` */
  static open({ host, port, isSecure }: Address, limitMs: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = isSecure
        ? connectSecurely({ host, port, ...name, ALPNProtocols: ["http/1.1"] })
        : connect(port, host);
      const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} does not answer.`)), limitMs);
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once(isSecure ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        resolve(new Wire(socket));
      });
    });
  }

  get isEnded(): boolean {
    return this.#isEnded && this.#waiting.length === 0;
  }

  write(bytes: Uint8Array | string): void {
    if (this.socket.writable) this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** What has come since the last time; waits for it. `undefined` at the end, or when `limitMs` is over. */
  async read(limitMs: number): Promise<Buffer | undefined> {
    if (this.#waiting.length === 0 && !this.#isEnded && limitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
    return this.#waiting.length > 0 ? Buffer.concat(this.#waiting.splice(0)) : undefined;
  }

  /** Gives bytes back that were read too far. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#waiting.unshift(bytes);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #end(): void {
    this.#isEnded = true;
    this.#wake();
  }
}
