import type { Status } from "../client/index.ts";

/** What every live object shows beside its rows or its row. */
export interface Shown {
  readonly status: Status;
  /** Of a list: whether its rows are only the first of more. */
  readonly hasMore?: boolean;
}

/** How a component looks at snapshots: which part is the value, and what is made of it. */
export interface Look<Snapshot, Value, Selected> {
  readonly valueIn: (snapshot: Snapshot) => Value;
  readonly select: (value: Value) => Selected;
}

/** True where two selections are the same, or lists of the same members. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((member, at) => Object.is(member, other[at]));
}

/** One rendering's look at a snapshot. It remembers which parts were read. */
export class Seen<Snapshot extends Shown, Value, Selected> {
  readonly #snapshot: Snapshot;
  readonly #look: Look<Snapshot, Value, Selected>;
  readonly #read: Set<"value" | "status" | "hasMore" | "selected"> = new Set();
  readonly #before: { readonly selected: Selected } | undefined;
  #selection: { readonly selected: Selected } | undefined;

  /** @param before - the look before: a selection that is equal stays the same */
  constructor(
    snapshot: Snapshot,
    look: Look<Snapshot, Value, Selected>,
    before: Seen<Snapshot, Value, Selected> | undefined,
  ) {
    this.#snapshot = snapshot;
    this.#look = look;
    this.#before = before && (before.#selection ?? before.#before);
  }

  get value(): Value {
    this.#read.add("value");
    return this.#look.valueIn(this.#snapshot);
  }

  get status(): Status {
    this.#read.add("status");
    return this.#snapshot.status;
  }

  get hasMore(): boolean {
    this.#read.add("hasMore");
    return this.#snapshot.hasMore ?? false;
  }

  get selected(): Selected {
    this.#read.add("selected");
    this.#selection ??= { selected: this.#select(this.#snapshot) };
    return this.#selection.selected;
  }

  /** True where a part that was read is another by now. */
  differsFrom(now: Snapshot): boolean {
    const { valueIn } = this.#look;
    if (this.#read.has("status") && now.status !== this.#snapshot.status) return true;
    if (this.#read.has("hasMore") && now.hasMore !== this.#snapshot.hasMore) return true;
    if (valueIn(now) === valueIn(this.#snapshot)) return false;
    if (this.#read.has("value")) return true;
    if (!this.#read.has("selected")) return false;
    try {
      return !Object.is(this.#select(now), this.selected);
    } catch {
      // Thrown again where it can be caught: in the component.
      return true;
    }
  }

  #select(snapshot: Snapshot): Selected {
    const selected = this.#look.select(this.#look.valueIn(snapshot));
    const known = this.#selection ?? this.#before;
    return known && isEqual(known.selected, selected) ? known.selected : selected;
  }
}
