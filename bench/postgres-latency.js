const loadPerSecond = 500;
const loadWrites = 500;
const idleWrites = 40;
const idlePerSecond = 25;

function quantile(times, share) {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Hears of writes at a server, by the value that they write. */
class Events {
  #heard = new Map();
  #wanted = Number.POSITIVE_INFINITY;
  #resolve;

  async follow(server) {
    await server.follow("/songs", 1, (text) => {
      const [, plays] = /"plays":(\d+)/.exec(text) ?? [];
      if (plays === undefined) return;
      this.#heard.set(Number(plays), performance.now());
      if (Number(plays) >= this.#wanted) this.#resolve?.();
    });
    return this;
  }

  /** When each came, once one was heard of. */
  async upTo(plays) {
    this.#wanted = plays;
    if (!this.#heard.has(plays)) {
      await new Promise((resolve) => {
        this.#resolve = resolve;
      });
    }
    return this.#heard;
  }
}

/** From sending a write until who follows the list has it; beside how long the app takes to answer one. */
export async function latencyRows({ add, rocket, app }) {
  const events = await new Events().follow(rocket);
  let from = 1_000_000;
  const toEvent = (options, share) => async () => {
    from += 10_000;
    const times = await rocket.write({ ...options, from });
    const heard = await events.upTo(from + options.count - 1);
    return quantile(
      [...times].map(([plays, { sent }]) => (heard.get(plays) ?? Number.POSITIVE_INFINITY) - sent),
      share,
    );
  };
  const toAnswer = (options, share) => async () => {
    from += 10_000;
    const times = await app.write({ ...options, from });
    return quantile(
      [...times.values()].map(({ sent, answered }) => answered - sent),
      share,
    );
  };
  const idle = { count: idleWrites, perSecond: idlePerSecond };
  const busy = { count: loadWrites, perSecond: loadPerSecond };
  for (const [what, options] of [
    ["25 writes a second", idle],
    ["500 writes a second", busy],
  ]) {
    for (const [title, share] of [
      ["median", 0.5],
      ["p99", 0.99],
    ]) {
      const name = `${what}, ${title}: Rocket's write to event / Express + pg's write to answer`;
      await add({ name, a: toEvent(options, share), b: toAnswer(options, share) }, "ms");
    }
  }
}
