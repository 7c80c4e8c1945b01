import { useCallback, useSyncExternalStore } from "react";
import type { Status } from "../client/index.ts";
import { useClient } from "./context.ts";

const connecting: Status = { state: "connecting" };

/**
 * How well everything that is followed agrees with the server: the worst of it. On a server, and in the first rendering
 * of a page that was rendered there, it is `connecting`.
 *
 * @throws TypeError where there is no client above the component
 */
export function useRocketStatus(): Status {
  const client = useClient();
  const subscribe = useCallback((listener: () => void) => client.onStatus(listener), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.status,
    () => connecting,
  );
}
