import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { type Look, Seen, type Shown } from "./seen.ts";
import { keepFirst, serverSnapshot } from "./server-snapshot.ts";
import { suspendUntilShown } from "./suspend.ts";

/** A collection or a record of a client. */
export interface Live<Snapshot> {
  getSnapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  ready(): Promise<Snapshot>;
}

/** Follows a live object while the component is mounted, and renders when a part that was read is another. */
export function useLive<Snapshot extends Shown, Value, Selected>(
  live: Live<Snapshot>,
  { valueIn, select }: Look<Snapshot, Value, Selected>,
  isSuspending: boolean,
): Seen<Snapshot, Value, Selected> {
  const committed = useRef<Seen<Snapshot, Value, Selected> | undefined>(undefined);
  const subscribe = useCallback(
    (listener: () => void) => {
      keepFirst(live, live.getSnapshot());
      return live.subscribe(() => {
        const now = live.getSnapshot();
        const isThrown = isSuspending && now.status.problem !== undefined;
        if (isThrown || (committed.current?.differsFrom(now) ?? true)) listener();
      });
    },
    [live, isSuspending],
  );
  const snapshot = useSyncExternalStore(
    subscribe,
    () => live.getSnapshot(),
    () => serverSnapshot(live, live.getSnapshot()),
  );
  if (isSuspending) suspendUntilShown(live);
  const seen = useMemo(() => new Seen(snapshot, { valueIn, select }, committed.current), [snapshot, valueIn, select]);
  useEffect(() => {
    committed.current = seen;
  }, [seen]);
  return seen;
}
