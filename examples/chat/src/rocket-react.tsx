// Stands in for `rocket-rest/react`, with the same names.
import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";
import type { Client, Collection, CollectionSnapshot, Query, Status } from "rocket-rest/client";

const Context = createContext<Client | undefined>(undefined);

/** Gives a client to everything inside. */
export function RocketProvider({ client, children }: { client: Client; children: ReactNode }): ReactNode {
  return <Context value={client}>{children}</Context>;
}

function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new TypeError("There is no RocketProvider around this.");
  return client;
}

type Methods<Row> = Pick<Collection<Row>, "create" | "update" | "destroy" | "keyOf" | "isPending">;

/** A live list, drawn anew whenever it changes. */
export function useCollection<Row>(path: string, query?: Query<Row>): CollectionSnapshot<Row> & Methods<Row> {
  const collection = useClient().collection<Row>(path, query);
  const { rows, status } = useSyncExternalStore(collection.subscribe, collection.getSnapshot);
  return {
    rows,
    status,
    create: (values) => collection.create(values),
    update: (row, changes, options) => collection.update(row, changes, options),
    destroy: (row, options) => collection.destroy(row, options),
    keyOf: (row) => collection.keyOf(row),
    isPending: (row) => collection.isPending(row),
  };
}

/** How well everything that is followed agrees with the server. */
export function useRocketStatus(): Status {
  const client = useClient();
  return useSyncExternalStore(
    (listener) => client.onStatus(listener),
    () => client.status,
  );
}
