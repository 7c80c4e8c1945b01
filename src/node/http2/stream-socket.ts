import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Field } from "../../protocol/index.ts";
import { type ResponseHead, ResponseReader, type ResponseSink } from "../response-reader.ts";
import { SocketAlike } from "../socket-alike.ts";
import { type Framing, type PlainHead, writtenFields, writtenHead } from "./heads.ts";

/** How much of an answer is given to a stream at once. What was taken is known by such pieces. */
const pieceBytes = 16 * 1024;

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

function ignore(): void {}

/**
 * One stream of HTTP/2 as a connection of HTTP/1.1 with one request: all that is behind reads, refuses, bounds and answers
 * it as any other, and a WebSocket by extended CONNECT (RFC 8441) is a handshake whose 101 becomes a 200.
 */
export class StreamSocket extends SocketAlike implements ResponseSink {
  readonly encrypted: boolean;
  readonly authorized: boolean;
  readonly authorizationError: unknown;
  readonly servername: unknown;
  /** What is spoken on this connection, and not on the one below. */
  readonly alpnProtocol: string = "http/1.1";
  readonly #stream: ServerHttp2Stream;
  readonly #tls: Partial<TLSSocket>;
  readonly #reader: ResponseReader;
  readonly #framing: Framing;
  readonly #waiting: Buffer[] = [];
  #taken = 0;
  /** Whether a tunnel was opened, so that what is written is no answer any more. */
  #isTunnel = false;
  /** Whether all of the answer was written. */
  #isWhole = false;
  /** The request's, as lines. */
  #trailers = "";
  /** The answer's. */
  #answerTrailers: readonly Field[] = [];
  /** What is done once those were sent; absent where there can be none, or they were. */
  #onTrailersSent: (() => void) | undefined;

  constructor(server: unknown, tls: TLSSocket, stream: ServerHttp2Stream, { text, framing, isHead }: PlainHead) {
    super(server, tls);
    this.encrypted = "encrypted" in tls;
    this.authorized = tls.authorized;
    this.authorizationError = tls.authorizationError;
    this.servername = (tls as { readonly servername?: unknown }).servername;
    this.#tls = tls;
    this.#stream = stream;
    this.#framing = framing;
    this.#reader = new ResponseReader(this, isHead);
    this.on("error", ignore);
    this.#give(Buffer.from(text, "latin1"));
    if (framing !== "none") this.#listen();
    stream.once("close", () => this.destroy());
    if (stream.destroyed) this.destroy();
  }

  /** As of a `net.Socket`: what waits counts as written. */
  get bytesWritten(): number {
    return this.#taken + this.writableLength;
  }

  getPeerCertificate(isDetailed?: boolean): unknown {
    return this.#ask((tls) => tls.getPeerCertificate?.(isDetailed === true)) ?? {};
  }

  getCipher(): unknown {
    return this.#ask((tls) => tls.getCipher?.());
  }

  getProtocol(): string | null {
    return this.#ask((tls) => tls.getProtocol?.()) ?? null;
  }

  onInterim({ status, fields }: ResponseHead): void {
    // Only what is written before the answer can be told.
    if (!this.#stream.headersSent && status !== 101) this.#stream.additionalHeaders(writtenHead(status, fields));
  }

  onSwitch({ fields }: ResponseHead): void {
    this.#isTunnel = true;
    this.#respond(writtenHead(200, fields));
  }

  onHead({ status, fields }: ResponseHead): void {
    // To a CONNECT every 2xx says that the tunnel is open (RFC 9110 §9.3.6), which this is not.
    const isNoTunnel = this.#framing === "tunnel" && status < 300;
    const isChunked = fields.some(([name]) => name.toLowerCase() === "transfer-encoding");
    if (isNoTunnel) this.#respond({ ":status": 501 });
    else this.#respond(writtenHead(status, fields), isChunked);
  }

  onBody(bytes: Buffer): void {
    if (this.#framing === "tunnel" && !this.#isTunnel && this.#stream.sentHeaders[":status"] === 501) return;
    for (let at = 0; at < bytes.length; at += pieceBytes) this.#waiting.push(bytes.subarray(at, at + pieceBytes));
  }

  onTrailers(fields: readonly Field[]): void {
    this.#answerTrailers = fields;
  }

  onEnd(): void {
    this.#isWhole = true;
  }

  override _read(): void {
    if (this.#framing !== "none") this.#stream.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#send(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    try {
      this.#reader.end();
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#isWhole = true;
    this.#send(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const stream = this.#stream;
    stream.on("error", ignore);
    // Its end was said once everything before was taken.
    if (!stream.closed && stream.writableEnded) this.#closeWhole();
    else if (!stream.closed) this.#cutOff(this.#isTunnel ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
    stream.resume();
    done(error);
  }

  /** What TLS knows; nothing any more once the session has ended: its socket throws then. */
  #ask<Answer>(question: (tls: Partial<TLSSocket>) => Answer): Answer | undefined {
    try {
      return question(this.#tls);
    } catch {
      return undefined;
    }
  }

  #listen(): void {
    const stream = this.#stream;
    const isChunked = this.#framing === "chunks";
    stream.on("data", (piece: Buffer) => {
      const size = `${piece.length.toString(16)}\r\n`;
      this.#give(isChunked ? Buffer.concat([Buffer.from(size), piece, Buffer.from("\r\n")]) : piece);
    });
    stream.on("trailers", (_headers: IncomingHttpHeaders, _flags: number, raw: readonly string[] = []) => {
      for (let at = 0; at + 1 < raw.length; at += 2) this.#trailers += `${raw[at]}: ${raw[at + 1]}\r\n`;
    });
    stream.once("end", () => {
      if (isChunked) this.#give(Buffer.from(`0\r\n${this.#trailers}\r\n`, "latin1"));
      if (this.#framing === "tunnel") this.push(null);
    });
    stream.pause();
  }

  #give(bytes: Buffer): void {
    if (this.destroyed) return;
    this.bytesRead += bytes.length;
    if (!this.push(bytes)) this.#stream.pause();
  }

  /** @param waitForTrailers - fields may come behind the content, as only chunks let them */
  #respond(headers: ReturnType<typeof writtenHead>, waitForTrailers = false): void {
    const stream = this.#stream;
    const options: ServerStreamResponseOptions & { readonly sendDate: boolean } = {
      ...{ endStream: false, sendDate: false, waitForTrailers },
    };
    stream.respond(headers, options);
    if (!waitForTrailers) return;
    this.#onTrailersSent = () => {};
    stream.once("wantTrailers", () => {
      stream.sendTrailers(writtenFields(this.#answerTrailers));
      // A reset in this turn would overtake them.
      setImmediate(() => {
        const after = this.#onTrailersSent;
        this.#onTrailersSent = undefined;
        after?.();
      });
    });
  }

  /** Ends what is left of a stream whose answer is whole: not before its last fields are out. */
  #closeWhole(): void {
    const close = (): void => {
      if (!this.#stream.closed) this.#stream.close(NGHTTP2_NO_ERROR);
    };
    if (this.#onTrailersSent) this.#onTrailersSent = close;
    else close();
  }

  /** Gives the stream what was read of the answer, piece by piece, and then its end. */
  #send(done: (error?: Error | null) => void): void {
    const stream = this.#stream;
    const piece = this.#waiting.shift();
    if (piece === undefined) {
      if (this.#isWhole) this.#end();
      done();
    } else if (stream.writable) {
      stream.write(piece, (error) => {
        if (error) {
          done(error);
          return;
        }
        this.#taken += piece.length;
        this.#send(done);
      });
    } else {
      done(new Error("The stream was closed."));
    }
  }

  #end(): void {
    const stream = this.#stream;
    if (stream.writableEnded) return;
    stream.end();
    // What is left of the request nobody reads any more (RFC 9113 §8.1).
    if (!this.#isTunnel && !stream.readableEnded) stream.once("finish", () => this.#drop());
  }

  /** Resets the stream. Node would end it before, and what is cut off must not look whole. */
  #cutOff(code: number): void {
    Reflect.set(this.#stream, "_final", (done: () => void) => done());
    this.#stream.close(code);
  }

  #drop(): void {
    if (!this.#stream.closed && !this.#stream.readableEnded) this.#closeWhole();
  }
}
