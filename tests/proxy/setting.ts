import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Server as NetServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { RocketServer } from "../../src/node/index.ts";
import { createProxy, type ProxyOptions } from "../../src/proxy/index.ts";

/** Something that listens, on a port of its own; closed with the test. */
export interface Listening<Kind> {
  readonly server: Kind;
  readonly port: number;
  readonly url: string;
}

/** Has a server listen. */
export async function listen<Kind extends NetServer>(
  server: Kind,
  port = 0,
  address = "127.0.0.1",
): Promise<Listening<Kind>> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, "listening");
  onTestFinished(() => stop(server, sockets));
  const { port: given } = server.address() as AddressInfo;
  return { server, port: given, url: `http://127.0.0.1:${given}` };
}

function stop(server: NetServer, sockets: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}

/** An upstream with a handler of requests. */
export function upstream(handler: RequestListener): Promise<Listening<Server>> {
  return listen(createServer(handler));
}

/** A proxy before an upstream. */
export interface TestProxy extends Listening<RocketServer> {
  readonly logged: readonly string[];
}

export async function proxy(url: string, options: Partial<ProxyOptions> = {}): Promise<TestProxy> {
  const logged: string[] = [];
  const server = createProxy({ upstream: url, drainMs: 0, log: (line) => logged.push(line), ...options });
  const { port } = await server.listen(0);
  onTestFinished(() => server.close());
  return { server, port, url: `http://127.0.0.1:${port}`, logged };
}

/** A proxy before an upstream with a handler of requests. */
export async function proxied(handler: RequestListener, options: Partial<ProxyOptions> = {}): Promise<TestProxy> {
  const { url } = await upstream(handler);
  return proxy(url, options);
}

/** A connection that is spoken to byte by byte. */
export class Wire {
  readonly socket: Socket;
  text = "";
  isEnded = false;
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("latin1");
    const wake = () => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.socket.on("data", (text: string) => {
      this.text += text;
      wake();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isEnded = true;
      wake();
    });
    onTestFinished(() => void this.socket.destroy());
  }

  send(...lines: readonly string[]): this {
    this.socket.write(lines.join("\r\n"), "latin1");
    return this;
  }

  /** Waits until what came satisfies `test`. @throws Error where the connection ends before it does */
  async until(test: string | RegExp): Promise<string> {
    while (typeof test === "string" ? !this.text.includes(test) : !test.test(this.text)) {
      if (this.isEnded) throw new Error(`The connection has ended: ${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.text;
  }

  /** Everything up to the connection's end. */
  async ended(): Promise<string> {
    while (!this.isEnded) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.text;
  }
}

/** A promise with its ends outside. */
export function deferred<Value = void>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
