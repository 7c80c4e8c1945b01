import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** One operation of a patch, as the block of that client was given it. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** U+000A to U+000D, U+0085, U+2028 and U+2029: where that client's platform ends a line. */
const newlines = /[\n\v\f\r\x85\u2028\u2029]/;
const known = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/** The fields of what was read at once: that client joins lines of the same name, and does not look for empty lines. */
function fieldsOf(piece: string): Map<string, string> {
  const fields = new Map<string, string[]>();
  for (const line of piece.split(newlines)) {
    const [, name = "", value = ""] = /^\s*([^:]*):\s*(.*)$/.exec(line) ?? [];
    if (line.startsWith(":") || name === "" || value === "") continue;
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return new Map([...fields].map(([name, values]) => [name, values.join("\n")]));
}

/** The content of a read, out of the chunks of the transfer coding. */
function withoutChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/**
 * The client that was published in 2013, as its users had it: with the mend by which it calls its blocks. It takes all that
 * one read gives for one event, connects once, and knows no positions. What it can't read is lost without a sign.
 */
export class ClientOf2013 {
  readonly #url: URL;
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  /** What the block was called with, in order. */
  readonly calls: PatchOperation[][] = [];
  head = "";

  private constructor(url: string) {
    this.#url = new URL(url);
    this.#socket = connect(Number(this.#url.port), this.#url.hostname);
    onTestFinished(() => void this.#socket.destroy());
    this.#socket.on("error", () => {});
  }

  /** Subscribes: `url` is absolute, as that client wanted it. Resolves with the answer's head. */
  static async subscribe(url: string): Promise<ClientOf2013> {
    const client = new ClientOf2013(url);
    client.#send();
    await client.until(() => client.head !== "");
    return client;
  }

  /** Resolves once what is asked for is so. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #send(): void {
    const { pathname, search, host } = this.#url;
    const lines = [
      `SUBSCRIBE ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Accept: text/event-stream",
      "Accept-Language: en;q=1, de;q=0.9",
      "Accept-Encoding: gzip, deflate",
      "User-Agent: Artists/1.0 (iPhone; iOS 7.0; Scale/2.00)",
      "Connection: keep-alive",
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    this.#socket.on("data", (bytes) => {
      this.#read(bytes);
      for (const look of this.#waiting) look();
    });
  }

  #read(bytes: Buffer): void {
    const end = this.head === "" ? bytes.indexOf("\r\n\r\n") + 4 : 0;
    if (this.head === "") this.head = bytes.toString("latin1", 0, end);
    const isTaken =
      /^HTTP\/1\.1 2\d\d /.test(this.head) && /^content-type: text\/event-stream *(?:;|$)/im.test(this.head);
    if (isTaken) this.#take(withoutChunks(bytes.subarray(end)));
  }

  #take(piece: Buffer): void {
    const fields = fieldsOf(piece.toString("utf8"));
    if (fields.get("event") !== "patch") return;
    let operations: unknown;
    try {
      operations = JSON.parse(fields.get("data") ?? "");
    } catch {
      operations = [];
    }
    this.calls.push((operations as PatchOperation[]).filter(({ op }) => known.has(op)));
  }
}
