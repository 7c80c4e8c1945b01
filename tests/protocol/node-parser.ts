import { createServer, type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";

/** What Node's own parser makes of the bytes of a message. */
export interface NodeMessage {
  readonly start: readonly [string | number, string];
  /** Names and values in turn. */
  readonly rawFields: readonly string[];
  readonly body: Buffer;
}

/** One end of a connection whose other end has sent some bytes and nothing more. */
class Wire extends Duplex {
  constructor(bytes: Uint8Array, isEnded: boolean) {
    super();
    this.push(bytes);
    if (isEnded) this.push(null);
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part);
  return Buffer.concat(parts);
}

/** Has Node's HTTP server read a request; `undefined` where it refuses. */
export function readRequest(bytes: Uint8Array): Promise<NodeMessage | undefined> {
  return new Promise((resolve) => {
    const wire = new Wire(bytes, false);
    const server = createServer();
    const finish = (message: NodeMessage | undefined): void => {
      wire.destroy();
      resolve(message);
    };
    const take = (message: IncomingMessage): void => {
      const { method = "", url = "", rawHeaders } = message;
      collect(message).then(
        (body) => finish({ start: [method, url], rawFields: rawHeaders, body }),
        () => finish(undefined),
      );
    };
    server.on("request", take).on("checkContinue", take).on("checkExpectation", take);
    server.on("clientError", () => finish(undefined));
    server.emit("connection", wire);
  });
}

/** Has Node's HTTP client read a response that ends with the connection; `undefined` where it refuses. */
export function readResponse(bytes: Uint8Array): Promise<NodeMessage | undefined> {
  return new Promise((resolve) => {
    const wire = new Wire(bytes, true);
    const asked = request({ createConnection: () => wire, agent: undefined, method: "GET" });
    asked.on("error", () => resolve(undefined));
    asked.on("response", (message) => {
      const { statusCode = 0, statusMessage = "", rawHeaders } = message;
      collect(message).then(
        (body) => resolve({ start: [statusCode, statusMessage], rawFields: rawHeaders, body }),
        () => resolve(undefined),
      );
    });
    asked.end();
  });
}
