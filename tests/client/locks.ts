/** Locks as browsers have them: one holder at a time, the others in line. */
export class Locks {
  readonly #last: Map<string, Promise<unknown>> = new Map();

  request<Result>(name: string, ...rest: readonly unknown[]): Promise<Result> {
    const hold = rest.at(-1) as () => Promise<Result>;
    const held = (this.#last.get(name) ?? Promise.resolve()).then(hold);
    this.#last.set(
      name,
      held.catch(() => {}),
    );
    return held;
  }
}
