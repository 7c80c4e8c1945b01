import { connect } from "node:net";

const lastChunk = Buffer.from("0\r\n\r\n");

/** One kept-alive connection that sends requests one after the other, each when the answer before is whole. */
export class RequestConnection {
  #socket;
  #text = "";
  #got = 0;
  #length;
  #answered;
  #broken;

  constructor(port) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("data", (data) => this.#read(data));
    this.#socket.on("error", (error) => this.#broken?.(error));
    this.#socket.on("close", () => this.#broken?.(new Error("A writer's connection was closed.")));
  }

  opened() {
    return new Promise((resolve, reject) => {
      this.#broken = reject;
      this.#socket.once("connect", resolve);
    });
  }

  /** Sends a request; resolves when its answer is whole. */
  ask(bytes) {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#broken = reject;
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#broken = undefined;
    this.#socket.destroy();
  }

  #read(data) {
    this.#got += data.length;
    if (this.#length === undefined) {
      this.#text += data.toString("latin1");
      const end = this.#text.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!/^HTTP\/1\.1 20[01] /.test(this.#text)) throw new Error(this.#text.slice(0, 400));
      const length = /^content-length: (\d+)/im.exec(this.#text)?.[1];
      // One that comes in chunks ends with an empty one.
      this.#length = length === undefined ? Number.POSITIVE_INFINITY : end + 4 + Number(length);
    }
    const isLastChunk = this.#length === Number.POSITIVE_INFINITY && data.subarray(-5).equals(lastChunk);
    if (this.#got < this.#length && !isLastChunk) return;
    this.#got = 0;
    this.#text = "";
    this.#length = undefined;
    this.#answered();
  }
}

/** A request as a browser's fetch sends it. @param coding - which coding of the answer it takes; empty: none */
export function requestBytes(method, path, body = "", coding = "gzip") {
  const content = body && `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  const fields = `Accept: application/json\r\nUser-Agent: bench\r\n${coding && `Accept-Encoding: ${coding}\r\n`}`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}${content}\r\n${body}`);
}
