import { type Context, createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";
import type { Client } from "../client/index.ts";

const ClientContext: Context<Client | undefined> = createContext<Client | undefined>(undefined);

/** What {@link RocketProvider} takes. */
export interface RocketProviderProps {
  /** Made once, outside of components; closed by whoever made it. On a server, one for each request. */
  readonly client: Client;
  readonly children?: ReactNode;
}

/** Gives a client to the hooks of the components below it. */
export function RocketProvider({ client, children }: RocketProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client that {@link RocketProvider} gives. @throws TypeError where there is none above the component */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new TypeError("There is no client: put <RocketProvider client={client}> around the component.");
  return client;
}
