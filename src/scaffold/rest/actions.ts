/** What a peer may do: `create` POSTs, `read` GETs, `update` PUTs and PATCHes, `destroy` DELETEs, `subscribe` follows. */
export type Action = "create" | "read" | "update" | "destroy" | "subscribe";

/** Every action. */
export const actions: readonly Action[] = ["create", "read", "update", "destroy", "subscribe"];

const writes: readonly Action[] = ["create", "update", "destroy"];

/** What may be done with the collections. */
export interface ActionOptions {
  /** These and nothing else. */
  readonly only?: readonly Action[];
  /** All but these. */
  readonly except?: readonly Action[];
  /** Nothing that writes. Default false. */
  readonly readOnly?: boolean;
}

function checked(option: string, list: readonly Action[] | undefined): readonly Action[] | undefined {
  for (const action of list ?? []) {
    if (!actions.includes(action)) {
      throw new TypeError(`${option} names "${action}", which is no action; there are ${actions.join(", ")}.`);
    }
  }
  return list;
}

/**
 * The actions that are allowed.
 *
 * @throws TypeError for a name that is no action, or for `only` and `except` together
 */
export function resolveActions(options: ActionOptions): ReadonlySet<Action> {
  const only = checked("only", options.only);
  const except = checked("except", options.except);
  if (only && except) throw new TypeError("only and except can't be used together; say one of them.");
  const allowed = (only ?? actions).filter((action) => !except?.includes(action));
  return new Set(options.readOnly ? allowed.filter((action) => !writes.includes(action)) : allowed);
}

/** Whether any of the actions writes. */
export function canWrite(allowed: ReadonlySet<Action>): boolean {
  return writes.some((action) => allowed.has(action));
}

/** What of a table decides which methods its collection has. */
export interface Writable {
  /** What can be done to its records; absent: everything. */
  readonly writes?: readonly Action[] | undefined;
  /** Whether its records have URLs. */
  readonly hasKey: boolean;
}

/** The methods of a collection or a record, in the order of the `Allow` field. */
export function allowedMethods(
  allowed: ReadonlySet<Action>,
  place: "index" | "collection" | "unseen" | "record" | "related" | "named" | "through",
  { writes: taken = writes, hasKey }: Writable,
): string[] {
  const methods: string[] = [];
  const takes = (action: Action): boolean => allowed.has(action) && taken.includes(action);
  if ((allowed.has("read") && place !== "unseen") || place === "index") methods.push("GET", "HEAD");
  if (["collection", "unseen", "related"].includes(place) && takes("create")) methods.push("POST");
  if (place === "record" && takes("update")) methods.push("PUT");
  const isWritten = place === "record" || (place === "collection" && hasKey);
  if (isWritten && takes("update")) methods.push("PATCH");
  if (isWritten && takes("destroy")) methods.push("DELETE");
  return [...methods, "OPTIONS"];
}
