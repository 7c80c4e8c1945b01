import { useMemo } from "react";
import type { Collection, CollectionSnapshot, Query, Status } from "../client/index.ts";
import { useClient } from "./context.ts";
import { idleCollection } from "./idle.ts";
import { useLive } from "./use-live.ts";

/** Options of {@link useCollection}: what of the collection is wanted, and how it is shown. */
export interface UseCollectionOptions<Row, Selected = readonly Row[]> extends Omit<Query<Row>, "select"> {
  /**
   * Makes something of the rows, for `selected`. A component that reads nothing else renders when it is another: by
   * `Object.is`, a list by its members. It has to be pure. What it throws is thrown in the component. Default: the rows.
   */
  readonly select?: (rows: readonly Row[]) => Selected;
  /**
   * True: `<Suspense>` waits for the first answer, and a refusal, also a later one, is thrown to the error boundary as a
   * `ProblemError`. False: there are no rows at first, and `status` tells. Default false.
   */
  readonly suspense?: boolean;
}

/** A collection in a component, which renders only when a part that it has read is another. */
export interface UseCollectionResult<Row, Selected = readonly Row[], New = Partial<Row>>
  extends Pick<Collection<Row, New>, "create" | "update" | "destroy" | "urlOf" | "keyOf" | "isPending"> {
  /** The rows in the server's order; each keeps its identity until it changes. */
  readonly rows: readonly Row[];
  /** What `select` made of the rows; the same as before where it is equal. */
  readonly selected: Selected;
  /** True where there are more than the server gives at once, or than `limit` asks for. */
  readonly hasMore: boolean;
  readonly status: Status;
}

const rowsOf = <Row>({ rows }: CollectionSnapshot<Row>): readonly Row[] => rows;
const allOf = (rows: readonly unknown[]): unknown => rows;

/**
 * Follows a collection while the component is mounted. All that follow the same path and query share one subscription.
 *
 * @param path - a path below the client's base URL; `null` or `undefined` follows nothing
 * @throws TypeError where there is no client above the component
 */
export function useCollection<Row = Record<string, unknown>, Selected = readonly Row[], New = Partial<Row>>(
  path: string | null | undefined,
  {
    select = allOf as (rows: readonly Row[]) => Selected,
    suspense = false,
    ...query
  }: UseCollectionOptions<Row, Selected> = {},
): UseCollectionResult<Row, Selected, New> {
  const client = useClient();
  const isIdle = path === null || path === undefined;
  const collection: Collection<Row, New> = isIdle
    ? (idleCollection as unknown as Collection<Row, New>)
    : client.collection<Row, New>(path, query);
  const seen = useLive(collection, { valueIn: rowsOf<Row>, select }, suspense && !isIdle);
  const { create, update, destroy, urlOf, keyOf, isPending } = collection;
  return useMemo(
    () => ({
      create,
      update,
      destroy,
      urlOf,
      keyOf,
      isPending,
      get rows() {
        return seen.value;
      },
      get selected() {
        return seen.selected;
      },
      get hasMore() {
        return seen.hasMore;
      },
      get status() {
        return seen.status;
      },
    }),
    [create, update, destroy, urlOf, keyOf, isPending, seen],
  );
}
