import { useCallback, useSyncExternalStore } from "react";
import type { Client, Session, SessionState, SessionUser } from "../client/index.ts";

/** What {@link useSession} gives. */
export interface UseSessionResult {
  readonly state: SessionState;
  /** Who has signed in; `undefined` where nobody has, or that is not known yet. */
  readonly user: SessionUser | undefined;
  /** For {@link RocketProvider}: another one after each sign-in and sign-out. */
  readonly client: Client;
}

/** Who has signed in, and the client that acts for them. On a server, and while a page is hydrated, it is as it is then. */
export function useSession(session: Session): UseSessionResult {
  const subscribe = useCallback((listener: () => void) => session.onChange(listener), [session]);
  const current = (): Client => session.client;
  const client = useSyncExternalStore(subscribe, current, current);
  return { state: session.state, user: session.user, client };
}
