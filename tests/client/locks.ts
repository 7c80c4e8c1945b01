/** As it is where no test has replaced it. */
const { postMessage } = BroadcastChannel.prototype;

/** Resolves once messages that were posted before have arrived: a browser is no faster with a lock than with those. */
async function arrived(): Promise<void> {
  const name = crypto.randomUUID();
  const [from, to] = [new BroadcastChannel(name), new BroadcastChannel(name)];
  await new Promise((resolve) => {
    to.onmessage = resolve;
    postMessage.call(from, "");
  });
  from.close();
  to.close();
}

/** Locks as browsers have them: one holder at a time, the others in line. */
export class Locks {
  readonly #last: Map<string, Promise<unknown>> = new Map();

  request<Result>(name: string, ...rest: readonly unknown[]): Promise<Result> {
    const hold = rest.at(-1) as () => Promise<Result>;
    const held = (this.#last.get(name)?.then(arrived) ?? Promise.resolve()).then(hold);
    this.#last.set(
      name,
      held.catch(() => {}),
    );
    return held;
  }
}
