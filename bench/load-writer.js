import { connect } from "node:net";

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
      if (!this.#text.startsWith("HTTP/1.1 200")) throw new Error(this.#text.slice(0, 200));
      this.#length = end + 4 + Number(/^content-length: (\d+)/im.exec(this.#text)?.[1]);
    }
    if (this.#got < this.#length) return;
    this.#got = 0;
    this.#text = "";
    this.#length = undefined;
    this.#answered();
  }
}

/** A request as a browser's fetch sends it. */
export function requestBytes(method, path, body = "") {
  const content = body && `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  const fields = "Accept: application/json\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\n";
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}${content}\r\n${body}`);
}
