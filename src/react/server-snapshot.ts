import type { Status } from "../client/index.ts";
import type { Shown } from "./seen.ts";
import { hasShown } from "./suspend.ts";

/** What was shown before this page followed it: what the server rendered, where that was handed over. */
const firsts: WeakMap<object, Shown> = new WeakMap();
const rendered: WeakMap<Shown, Shown> = new WeakMap();

// A page and its server know neither each other's time nor how far the other has come.
const connecting: Status = { state: "connecting" };
const stale: Status = { state: "stale" };

/** Called before a live object is followed. On a server nothing ever is. */
export function keepFirst(live: object, snapshot: Shown): void {
  if (!firsts.has(live)) firsts.set(live, snapshot);
}

/** What a server renders and a page hydrates: equal on both sides, however late a part of the page hydrates. */
export function serverSnapshot<Snapshot extends Shown>(live: object, now: Snapshot): Snapshot {
  const first = (firsts.get(live) ?? now) as Snapshot;
  const snapshot = (rendered.get(first) as Snapshot | undefined) ?? {
    ...first,
    status: hasShown(first.status) ? stale : connecting,
  };
  rendered.set(first, snapshot);
  return snapshot;
}
