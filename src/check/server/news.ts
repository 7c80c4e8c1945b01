/** Has those who wait for what comes look again whenever something has. */
export class News {
  readonly #waiting: Set<() => void> = new Set();

  /** Something has come. */
  tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Waits for it: true where something came, false once it is late. @param endsAt - by `performance.now()` */
  next(endsAt: number): Promise<boolean> {
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (isNews: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(isNews);
      };
      const wake = (): void => done(true);
      const timer = setTimeout(() => done(false), leftMs);
      this.#waiting.add(wake);
    });
  }
}
