import { connect } from "node:net";

/** What a browser sends with its handshake beside its cookies; all servers get the same. */
const browserFields = [
  "Connection: keep-alive, Upgrade",
  "Pragma: no-cache",
  "Cache-Control: no-cache",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: */*",
  "Accept-Language: en-GB,en;q=0.8,de;q=0.5",
  "Accept-Encoding: gzip, deflate, br",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
];

/** Smaller messages are heartbeats, bookmarks and handshakes; larger ones are deliveries. */
const minDeliveryBytes = 100;
const handshakeMs = 20_000;

/** All sockets read into one buffer: what is in it is used up before the next one reads. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** A client's text frame (RFC 6455 §5.2), with a mask of zeros. */
function maskedText(text) {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

const engineConnect = maskedText("40");
const enginePong = maskedText("3");

/**
 * A client that does no more than it must: it shakes hands, then walks from frame to frame by their lengths and counts.
 */
export class LoadPeer {
  #socket;
  #group;
  #isOpen = false;
  #frames = 0;
  /** The bytes of a handshake's answer or of a frame's head that is not whole yet. */
  #partial = Buffer.alloc(0);
  #size = 0;
  #left = 0;

  /** @param group - what the peer belongs to: its port, path and protocol, and who counts */
  constructor(group) {
    this.#group = group;
    const { port } = group;
    const onread = { buffer: readBuffer, callback: (bytes, buffer) => this.#read(bytes, buffer) };
    this.#socket = connect({ host: "127.0.0.1", port, onread, noDelay: true }, () => this.#shakeHands());
    this.#socket.setTimeout(handshakeMs, () => this.#fail(new Error("a handshake took too long")));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("a connection was closed")));
  }

  /** Ends without leaving a port in TIME_WAIT. */
  drop() {
    this.#socket.removeAllListeners("close");
    this.#socket.resetAndDestroy();
  }

  #fail(error) {
    this.#group.failed(error);
  }

  #shakeHands() {
    const { port, path, subprotocol } = this.#group;
    const cookie = this.#group.nextCookie();
    const host = `127.0.0.1:${port}`;
    const fields = [`Host: ${host}`, `Origin: http://${host}`, ...browserFields];
    if (cookie) fields.push(`Cookie: session=${cookie}`);
    if (subprotocol) fields.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`);
  }

  #read(bytes, buffer) {
    if (this.#partial.length === 0 && this.#isOpen) {
      this.#walk(buffer, bytes);
    } else {
      const whole = Buffer.concat([this.#partial, buffer.subarray(0, bytes)]);
      this.#partial = Buffer.alloc(0);
      if (this.#isOpen) this.#walk(whole, whole.length);
      else this.#readAnswer(whole);
    }
    return true;
  }

  #readAnswer(bytes) {
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) {
      this.#partial = bytes;
      return;
    }
    const status = bytes.toString("latin1", 9, 12);
    if (status !== "101") {
      this.#fail(new Error(`a handshake was answered with ${status}`));
      return;
    }
    this.#isOpen = true;
    this.#socket.setTimeout(0);
    if (this.#group.readyFrames === 0) this.#group.ready();
    const rest = bytes.subarray(end + 4);
    if (rest.length > 0) this.#walk(rest, rest.length);
  }

  #walk(buffer, end) {
    let at = 0;
    while (at < end) {
      if (this.#left === 0) {
        const short = at + 1 < end ? buffer[at + 1] : 0;
        const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
        if (at + headBytes > end) {
          this.#partial = Buffer.from(buffer.subarray(at, end));
          return;
        }
        this.#size =
          headBytes === 2 ? short : headBytes === 4 ? buffer.readUInt16BE(at + 2) : buffer.readUInt32BE(at + 6);
        this.#left = this.#size;
        at += headBytes;
      }
      const step = Math.min(this.#left, end - at);
      this.#left -= step;
      at += step;
      if (this.#left === 0) this.#frame();
    }
  }

  #frame() {
    if (this.#size >= minDeliveryBytes) this.#group.delivered();
    if (this.#group.isEngine) this.#answerEngine();
    this.#frames += 1;
    if (this.#frames === this.#group.readyFrames) this.#group.ready();
  }

  /** Engine.IO opens with a frame that wants a Socket.IO CONNECT, and pings with the text "2". */
  #answerEngine() {
    if (this.#frames === 0) this.#socket.write(engineConnect);
    else if (this.#size === 1) this.#socket.write(enginePong);
  }
}
