import { onTestFinished } from "vitest";
import type { Scaffold } from "../../../src/scaffold/index.ts";
import { createHub, type Hub, type Journal } from "../../../src/server/index.ts";
import type { FakeClock } from "../../../src/testing/index.ts";

/** A hub whose clock stands still while the database answers, which takes a time that no clock of a test's decides. */
export interface PatientHub {
  readonly hub: Hub;
  /** Lets so much time pass, and then as much as it takes until all that happened is told. */
  advance(ms: number): Promise<void>;
}

/** How often nothing must have been asked, some time after the last answer. */
const quietTurns = 3;
/** Longer than looks at one view are apart. */
const turnMs = 60;

/** What is asked of a database, and not answered yet. */
class Asked {
  readonly #waiting: Set<Promise<unknown>> = new Set();
  count = 0;

  /** Notes a promise, and gives it back. */
  readonly note = <Answer>(answer: Answer): Answer => {
    if (!(answer instanceof Promise)) return answer;
    this.count += 1;
    const waiting: Promise<unknown> = answer
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
    return answer;
  };

  get isAnswered(): boolean {
    return this.#waiting.size === 0;
  }

  async answered(): Promise<void> {
    while (!this.isAnswered) await Promise.all(this.#waiting);
  }
}

/** The same journal, of which what is asked is noted. */
function noted(journal: Journal, { note }: Asked): Journal {
  return new Proxy(journal, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (...given: unknown[]) => note(value.apply(target, given)) : value;
    },
  });
}

/** A hub over a scaffold, until the test ends. */
export function createPatientHub({ origin, journal, derived }: Scaffold, clock: FakeClock): PatientHub {
  const asked = new Asked();
  const hub = createHub({
    origin: (request) => asked.note(origin(request)),
    derived,
    clock,
    ...(journal ? { journal: noted(journal, asked) } : {}),
  });
  onTestFinished(() => void hub.close(0));
  return {
    hub,
    async advance(ms) {
      await clock.advance(ms);
      for (let quiet = 0; quiet < quietTurns; ) {
        const before = asked.count;
        await asked.answered();
        await journal?.poll();
        await clock.advance(turnMs);
        quiet = asked.count === before && asked.isAnswered ? quiet + 1 : 0;
      }
    },
  };
}
