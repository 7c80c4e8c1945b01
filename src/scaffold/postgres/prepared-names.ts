/** How many statements a connection keeps prepared. */
const maxPrepared = 200;

/** What all connections of a pool have prepared: nothing of it counts any more once the epoch is another one. */
export interface Preparations {
  epoch: number;
}

/** The statements that one connection has prepared, each by a name that is never used again. */
export class PreparedNames {
  readonly #preparations: Preparations;
  #epoch: number;
  readonly #names: Map<string, string> = new Map();
  #count = 0;
  #unwanted: string[] = [];

  constructor(preparations: Preparations) {
    this.#preparations = preparations;
    this.#epoch = preparations.epoch;
  }

  /** A statement's name; `isNew` where it has to be prepared under it first. */
  nameOf(text: string): { readonly name: string; readonly isNew: boolean } {
    const known = this.#names.get(text);
    if (known !== undefined) {
      // Behind those that are asked for more rarely.
      this.#names.delete(text);
      this.#names.set(text, known);
      return { name: known, isNew: false };
    }
    this.#count += 1;
    const name = `rocket_${this.#count}`;
    this.#names.set(text, name);
    return { name, isNew: true };
  }

  /** It may not be there, or not mean the same any more. */
  forget(text: string): void {
    const name = this.#names.get(text);
    if (name === undefined) return;
    this.#names.delete(text);
    this.#unwanted.push(name);
  }

  /** Says that what was prepared may give other columns by now, on each connection of the pool. */
  doubtAll(): void {
    this.#preparations.epoch += 1;
  }

  /** The names that the connection is to drop now: of what was forgotten, and of what is too many. */
  takeUnwanted(): readonly string[] {
    if (this.#epoch !== this.#preparations.epoch) {
      this.#epoch = this.#preparations.epoch;
      for (const text of this.#names.keys()) this.forget(text);
    }
    for (const text of this.#names.keys()) {
      if (this.#names.size <= maxPrepared) break;
      this.forget(text);
    }
    const unwanted = this.#unwanted;
    this.#unwanted = [];
    return unwanted;
  }
}
