/**
 * What is to be done in one transaction, as an engine carries it out: mostly a generator. It yields what must be waited
 * for, and goes on with what came of it. An engine that waits for nothing yields nothing, and does all at once; any other
 * yields its promises, and whoever runs the steps gives their values back, or throws their errors in.
 *
 * Steps are run again where the database asks for that, from the start: they do nothing but use the transaction.
 */
export type Steps<Result> = Iterable<PromiseLike<unknown>, Result, unknown>;

/** Steps that are done already. */
class Done<Result> implements Iterator<never, Result, unknown> {
  readonly #end: IteratorReturnResult<Result>;

  constructor(value: Result) {
    this.#end = { done: true, value };
  }

  next(): IteratorReturnResult<Result> {
    return this.#end;
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** Steps that wait for nothing, with what they gave. */
export function done<Result>(result: Result): Steps<Result> {
  return new Done(result);
}

/** Steps that wait for one thing, and give what came of it. */
export function* wait<Result>(promise: PromiseLike<Result>): Generator<PromiseLike<unknown>, Result, unknown> {
  return (yield promise) as Result;
}
