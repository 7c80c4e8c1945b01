import { type HttpResponse, type Problem, wellKnownPath } from "../protocol/index.ts";
import { DocumentFollower, type DocumentFollowerOptions } from "./document-follower.ts";
import { bodyJson, problemOf } from "./problem.ts";
import { RowLooks } from "./row-looks.ts";
import type { Sink } from "./transport.ts";
import type { Socket, SocketEvents } from "./web-socket.ts";

/** How often the socket must fail, though the server is there, until it counts as blocked. One that hangs does at once. */
const blockedAfter = 2;

/** What the other ways need. */
export interface FallbackOptions extends Omit<DocumentFollowerOptions, "sink" | "open" | "looks"> {
  readonly onServer: (wellKnown: HttpResponse) => void;
  /** Told what may be missing, for a person. */
  readonly onHint: (text: string) => void;
  /** Opens a Level 0 socket at a URL. */
  readonly open: (target: string, events: SocketEvents) => Socket;
}

function isLevel1(message: HttpResponse): boolean {
  const said = bodyJson(message) as { rocket?: { levels?: unknown } } | undefined;
  const levels = said?.rocket?.levels;
  return message.status === 200 && Array.isArray(levels) && levels.includes(1);
}

/** Follows URLs by their documents where there is no socket of Level 1: one of Level 0 for each, or GETs at intervals. */
export class Fallback {
  readonly #options: FallbackOptions;
  readonly #looks: RowLooks;
  readonly #followers: Set<DocumentFollower> = new Set();
  #way: "none" | "level-0" | "polling" = "none";
  #failures = 0;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#looks = new RowLooks(options);
  }

  /** True while it is the way. */
  get isUsed(): boolean {
    return this.#way !== "none";
  }

  /**
   * Takes over from a socket that could not be opened, where the server is another than of Level 1, or where the socket
   * seems to be blocked.
   *
   * @param answer - what the server answers at the well-known URL
   * @param wasSilent - true where the socket did not fail, but nothing came of it
   * @returns the problem where trying again would not help
   */
  takeOver(answer: HttpResponse, wasSilent: boolean): Problem | undefined {
    const { status } = answer;
    if (status === 401 || status === 403) return problemOf(answer);
    this.#options.onServer(answer);
    this.#failures += wasSilent ? blockedAfter : 1;
    if (!isLevel1(answer)) {
      this.#way = "level-0";
      this.#hintAtBase(status);
    } else if (this.#failures >= blockedAfter) this.#way = "polling";
    return undefined;
  }

  /** Below a path of their own, servers have to be told of it [R-WK-5]. */
  #hintAtBase(status: number): void {
    const { http, onHint } = this.#options;
    const { origin, pathname } = http.base;
    if (pathname === "/") return;
    onHint(
      `${http.href(wellKnownPath)} is answered with ${status}, and not as Rocket does. Tell the server below which path clients know it (basePath: ${JSON.stringify(pathname.slice(0, -1))} of attach), or make the client with ${origin} and give it whole paths. Until then it follows each URL by itself, as its status says.`,
    );
  }

  /** Follows a URL. Returns a function that ends it. */
  add(sink: Sink): () => void {
    const { open } = this.#options;
    const follower = new DocumentFollower({
      ...this.#options,
      sink,
      looks: this.#looks,
      open: this.#way === "level-0" ? (events) => open(sink.target, events) : undefined,
    });
    this.#followers.add(follower);
    return () => {
      follower.stop();
      this.#followers.delete(follower);
    };
  }

  /** Tries at once what waits. */
  wake(): void {
    for (const follower of this.#followers) follower.wake();
  }

  /** Follows nothing more. */
  stop(): void {
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    this.#way = "none";
  }
}
