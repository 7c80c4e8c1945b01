/** Tasks of one connection: those for the same URL run one after another. */
export class UrlTurns {
  readonly #onFailure: (error: unknown) => void;
  readonly #turns: Map<string, Promise<void>> = new Map();

  /** @param onFailure - told of what a task rejects with */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Runs `task` after those for the same URL that were given before it. Never rejects. */
  run(url: string, task: () => Promise<void> | void): Promise<void> {
    const turns = this.#turns;
    const before = turns.get(url);
    const run = async (): Promise<void> => {
      try {
        await task();
      } catch (error) {
        this.#onFailure(error);
      }
      if (turns.get(url) === turn) turns.delete(url);
    };
    const turn = before ? before.then(run) : run();
    turns.set(url, turn);
    return turn;
  }
}
