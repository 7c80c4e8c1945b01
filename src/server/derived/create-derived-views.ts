import type { Field } from "../../protocol/index.ts";
import { refusalOf } from "../origin-answer.ts";
import type { OriginAsker } from "../origin-asker.ts";
import type { ResolvedDerivedOptions } from "./derived-options.ts";
import { DerivedViews, type DerivedViewsParts } from "./derived-views.ts";
import { tellingRecords } from "./record-options.ts";

/** Makes the views that a hub derives by asking its origin again. */
export function createDerivedViews(
  { clock, identityOf, reportError }: Pick<DerivedViewsParts, "clock" | "identityOf" | "reportError">,
  options: ResolvedDerivedOptions,
  asker: OriginAsker,
): DerivedViews {
  return new DerivedViews({
    ...options,
    records: tellingRecords(options.records, (error) => reportError(error, "records")),
    times: options,
    clock,
    identityOf,
    reportError,
    async ask(target, viewer, ifNoneMatch) {
      const conditional: readonly Field[] = ifNoneMatch === undefined ? [] : [["If-None-Match", ifNoneMatch]];
      const response = await asker.ask("GET", target, [...viewer.fields, ...conditional], viewer);
      // What can't be followed any more ends.
      return response.notLive === undefined ? response : refusalOf(response);
    },
  });
}
