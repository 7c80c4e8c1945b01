import type { SocketPeer } from "../peer.ts";
import { SocketAlike } from "../socket-alike.ts";
import { markSocket } from "./rocket-request.ts";

/** The other end of a virtual socket. Nothing that it throws reaches the application. */
export interface SocketOwner {
  /** The application has written. */
  onBytes(bytes: Buffer): void;
  /** The application has ended the connection, or destroyed it. */
  onClosed(): void;
}

/** How many bytes are taken before others get a turn: an application's long answer is not made in one piece. */
const mostInTurn = 64 * 1024;

const nobody: Partial<SocketPeer> = { remoteAddress: "127.0.0.1", remotePort: 0, remoteFamily: "IPv4" };

/**
 * What a server takes for a client's connection, without a connection: requests are pushed in, answers come out. It shows
 * the peer of the follower that it stands for.
 */
export class VirtualSocket extends SocketAlike {
  bytesWritten = 0;
  readonly #owner: SocketOwner;
  readonly #tls: SocketPeer["tls"];
  #takenInTurn = 0;

  /** @param isOwn - whether its requests are Rocket's own, and not the peer's */
  constructor(owner: SocketOwner, server: unknown, isEncrypted: boolean, isOwn: boolean, peer?: SocketPeer) {
    super(server, peer ?? nobody);
    this.#owner = owner;
    this.#tls = peer?.tls;
    if (isOwn) markSocket(this);
    if (isEncrypted) {
      const { authorized = false, authorizationError, servername } = this.#tls ?? {};
      Object.assign(this, { encrypted: true, authorized, authorizationError, servername, alpnProtocol: "http/1.1" });
    }
    // A server destroys a connection with the application's error, which the owner is told of by its end.
    this.on("error", () => {});
    this.once("close", () => this.#owner.onClosed());
  }

  /** Gives the server bytes. What the application throws at once is thrown here. */
  deliver(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.push(bytes);
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesWritten += bytes.length;
    this.#owner.onBytes(bytes);
    this.#takenInTurn += bytes.length;
    if (this.#takenInTurn < mostInTurn) {
      done();
      return;
    }
    // Others get a turn, and an answer that nobody wants any more can be ended.
    setImmediate(() => {
      this.#takenInTurn = 0;
      done();
    });
  }

  override _final(done: () => void): void {
    this.#owner.onClosed();
    done();
  }

  getPeerCertificate(): unknown {
    return this.#tls?.certificate ?? {};
  }

  getCipher(): unknown {
    return this.#tls?.cipher;
  }

  getProtocol(): string | null {
    return this.#tls?.protocol ?? null;
  }
}
