import { useMemo } from "react";
import type { LiveRecord, RecordSnapshot, Status } from "../client/index.ts";
import { useClient } from "./context.ts";
import { idleRecord } from "./idle.ts";
import { useLive } from "./use-live.ts";

/** Options of {@link useRecord}: how the record is shown. */
export interface UseRecordOptions<Row, Selected = Row | undefined> {
  /**
   * Makes something of the record, for `selected`. A component that reads nothing else renders when it is another: by
   * `Object.is`, a list by its members. It has to be pure. What it throws is thrown in the component. Default: the row.
   */
  readonly select?: (row: Row | undefined) => Selected;
  /**
   * True: `<Suspense>` waits for the first answer, and a refusal, also a later one, or the record's end, is thrown to the
   * error boundary as a `ProblemError`. False: there is no row at first, and `status` tells. Default false.
   */
  readonly suspense?: boolean;
}

/** A record in a component, which renders only when a part that it has read is another. */
export interface UseRecordResult<Row, Selected = Row | undefined> extends Pick<LiveRecord<Row>, "update" | "destroy"> {
  /** `undefined` before the first answer, and once the record was destroyed. */
  readonly row: Row | undefined;
  /** What `select` made of the row; the same as before where it is equal. */
  readonly selected: Selected;
  readonly status: Status;
  /** True while it shows a write that the server has not confirmed. */
  readonly isPending: boolean;
}

const rowOf = <Row>({ row }: RecordSnapshot<Row>): Row | undefined => row;
const allOf = (row: unknown): unknown => row;

/**
 * Follows a record while the component is mounted. All that follow the same path share one subscription.
 *
 * @param path - a path below the client's base URL, or what `urlOf` gave; `null` or `undefined` follows nothing
 * @throws TypeError where there is no client above the component
 */
export function useRecord<Row = Record<string, unknown>, Selected = Row | undefined>(
  path: string | null | undefined,
  { select = allOf as (row: Row | undefined) => Selected, suspense = false }: UseRecordOptions<Row, Selected> = {},
): UseRecordResult<Row, Selected> {
  const client = useClient();
  const isIdle = path === null || path === undefined;
  const record: LiveRecord<Row> = isIdle ? (idleRecord as unknown as LiveRecord<Row>) : client.record<Row>(path);
  const seen = useLive(record, { valueIn: rowOf<Row>, select }, suspense && !isIdle);
  return useMemo(
    () => ({
      update: record.update,
      destroy: record.destroy,
      get row() {
        return seen.value;
      },
      get selected() {
        return seen.selected;
      },
      get status() {
        return seen.status;
      },
      get isPending() {
        // What is pending is another row.
        return seen.value !== undefined && record.isPending;
      },
    }),
    [record, seen],
  );
}
