import { createProblem, type Field, problemResponse, wellKnownPath } from "../protocol/index.ts";
import type { BasePath, Clock, OriginResponse } from "../server/index.ts";

/** What a balancer asks, and what is said of it. */
export interface HealthOptions {
  readonly basePath: BasePath;
  /** Whether the short URLs, `/healthz` and `/readyz`, are answered, too. */
  readonly hasShortUrls: boolean;
  /** Whether a URL is a resource of the origin's own: a short one is left to it then. Default: none is. */
  readonly owns?: ((target: string) => boolean) | undefined;
  /** What keeps the server from doing its work, in a sentence for anybody; `undefined` where nothing does. Default: nothing. */
  readonly trouble?: (() => Promise<string | undefined>) | undefined;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

type Question = "healthz" | "readyz";

const patienceMs = 2_000;
const noStore: Field = ["Cache-Control", "no-store"];

/**
 * Answers whether the process answers (`/healthz`), and whether it can do its work (`/readyz`). Anybody may ask, by any
 * `Host`: no more is said than `ok`, or why not.
 */
export class HealthDesk {
  /** True once the server stops: it is not ready from then on. */
  isClosing = false;
  readonly #options: HealthOptions;
  /** What is being found out, for all who ask meanwhile. */
  #looking: Promise<string | undefined> | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** The answer to a request; `undefined` where it asks for something else. */
  answer({
    method = "GET",
    url = "/",
  }: {
    readonly method?: string | undefined;
    readonly url?: string | undefined;
  }): Promise<OriginResponse> | undefined {
    const question = this.#questionIn(url);
    if (question === undefined) return undefined;
    if (method === "GET" || method === "HEAD") return this.#say(question);
    const problem = createProblem(405, `${method} is not served here.`);
    return Promise.resolve(problemResponse(problem, [["Allow", "GET, HEAD"]]));
  }

  #questionIn(url: string): Question | undefined {
    const { basePath, hasShortUrls, owns } = this.#options;
    const [path = ""] = basePath.remove(url).split("?");
    const isLong = path.startsWith(`${wellKnownPath}/`);
    const name = isLong ? path.slice(wellKnownPath.length + 1) : path.slice(1);
    if (name !== "healthz" && name !== "readyz") return undefined;
    const isOurs = isLong || (hasShortUrls && !owns?.(basePath.add(`/${name}`)));
    return isOurs ? name : undefined;
  }

  async #say(question: Question): Promise<OriginResponse> {
    const trouble = question === "healthz" ? undefined : await this.#trouble();
    if (trouble === undefined) {
      return { status: 200, fields: [["Content-Type", "text/plain; charset=utf-8"], noStore], body: "ok\n" };
    }
    return problemResponse(createProblem(503, trouble), [noStore, ["Retry-After", "1"]]);
  }

  async #trouble(): Promise<string | undefined> {
    if (this.isClosing) return "The server is stopping.";
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What is slow counts as trouble: who balances has to go on. */
  #look(): Promise<string | undefined> {
    const { trouble, clock, reportError } = this.#options;
    if (!trouble) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const cancel = clock.setTimer(() => resolve(`No answer came within ${patienceMs / 1_000} s.`), patienceMs);
      trouble()
        .catch((error: unknown) => {
          reportError(error, "ready");
          return "It could not be found out.";
        })
        .then(resolve)
        .finally(cancel);
    });
  }
}
