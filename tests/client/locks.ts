/** Locks as browsers have them: one holder at a time, the others in line. */
export class Locks {
  #last: Promise<unknown> = Promise.resolve();

  request<Result>(_name: string, ...rest: readonly unknown[]): Promise<Result> {
    const hold = rest.at(-1) as () => Promise<Result>;
    const held = this.#last.then(hold);
    this.#last = held.catch(() => {});
    return held;
  }
}
