import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Frame, FrameReader } from "./frames.ts";

/** One connection through a {@link Line}: the heads of its handshake, and the frames of either side. */
export class Call {
  readonly sent = new Half();
  readonly received = new Half();
}

/** What one side of a connection said. */
export class Half {
  head = "";
  readonly frames: Frame[] = [];
  readonly #reader = new FrameReader();
  #isUpgraded = false;

  take(bytes: Buffer): void {
    if (this.#isUpgraded) {
      this.frames.push(...this.#reader.take(bytes));
      return;
    }
    this.head += bytes.toString("latin1");
    const end = this.head.indexOf("\r\n\r\n");
    if (end < 0) return;
    this.#isUpgraded = true;
    const rest = Buffer.from(this.head.slice(end + 4), "latin1");
    this.head = this.head.slice(0, end);
    this.frames.push(...this.#reader.take(rest));
  }
}

/** A stretch of network before a server that can be cut; it sees what goes through. */
export class Line {
  readonly calls: Call[] = [];
  readonly #server = createServer((near) => this.#carry(near));
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();
  readonly #target: number;
  readonly #isSecret: boolean;

  private constructor(target: number, isSecret: boolean) {
    this.#target = target;
    this.#isSecret = isSecret;
  }

  /**
   * @param target - the server's port
   * @param isSecret - whether it is TLS that goes through, of which nothing can be seen. Default false
   */
  static async open(target: number, isSecret = false): Promise<Line> {
    const line = new Line(target, isSecret);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    onTestFinished(() => {
      line.#server.close();
      line.cut();
    });
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections, without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Resolves with what `find` gives, once that is something. */
  until<Found>(find: (calls: readonly Call[]) => Found | undefined | false): Promise<Found> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find(this.calls);
        if (found === undefined || found === false) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #carry(near: Socket): void {
    const far = connect(this.#target, "127.0.0.1");
    const call = new Call();
    this.calls.push(call);
    this.#join(near, far, call.sent);
    this.#join(far, near, call.received);
  }

  #join(from: Socket, to: Socket, half: Half): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => {
      if (!this.#isSecret) half.take(bytes);
      for (const look of this.#waiting) look();
    });
    from.pipe(to);
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      // After an end in order, what was said last still goes out, and what comes from the other side goes nowhere.
      if (from.readableEnded) to.resume();
      else to.destroy();
    });
  }
}
