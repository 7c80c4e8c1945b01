import type { OriginResponse } from "./ports/origin.ts";

/** How many bytes the answers that are kept may have. */
const mostBytes = 8 * 1024 * 1024;

interface SharedAnswer {
  /** How many moments had passed when it was asked for. */
  readonly askedAt: number;
  readonly answer: Promise<OriginResponse>;
  bytes: number;
}

/**
 * The answers of the last second to those who begin anew: after a loss many ask the same, each in its turn. A reader is
 * given no answer to a question from before it had to begin anew: that would take it back.
 */
export class SharedAnswers {
  readonly #answers: Map<string, SharedAnswer> = new Map();
  #moments = 0;
  #bytes = 0;

  /** A moment that no answer so far is from. */
  moment(): number {
    this.#moments += 1;
    return this.#moments;
  }

  /**
   * The answer that somebody else was given, or is waiting for; else that to a new question.
   *
   * @param since - the moment from which on it has to be
   */
  get(key: string, since: number, ask: () => Promise<OriginResponse>): Promise<OriginResponse> {
    const known = this.#answers.get(key);
    if (known && known.askedAt >= since) return known.answer;
    if (known) this.#drop(key, known);
    const shared: SharedAnswer = { askedAt: this.#moments, answer: ask(), bytes: 0 };
    this.#answers.set(key, shared);
    void shared.answer.then(({ body }) => this.#count(key, shared, body.length));
    return shared.answer;
  }

  /** Gives up all that are kept: their positions may come to mean something else. */
  clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
  }

  /** Once a second. */
  sweep(): void {
    this.clear();
  }

  #count(key: string, shared: SharedAnswer, bytes: number): void {
    if (this.#answers.get(key) !== shared) return;
    shared.bytes = bytes;
    this.#bytes += bytes;
    for (const [oldest, answer] of this.#answers) {
      if (this.#bytes <= mostBytes) break;
      if (answer.bytes > 0) this.#drop(oldest, answer);
    }
  }

  #drop(key: string, { bytes }: SharedAnswer): void {
    this.#answers.delete(key);
    this.#bytes -= bytes;
  }
}
