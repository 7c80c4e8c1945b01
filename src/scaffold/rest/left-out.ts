import { RocketError } from "../../protocol/index.ts";
import { toldTroubles } from "../engine/names.ts";
import type { ServedSchema } from "../engine/table.ts";
import { catalogOf, type IsServed } from "./catalog.ts";

/** Says what is not served, and why, and what of the models the database has not; each time what is new. */
export class LeftOutReporter {
  readonly #isServed: IsServed;
  readonly #report: (error: unknown, stage: string) => void;
  #told: ReadonlyMap<string, string> = new Map();
  #troubles: readonly string[] = [];

  constructor(isServed: IsServed, report: (error: unknown, stage: string) => void) {
    this.#isServed = isServed;
    this.#report = report;
  }

  tell(schema: ServedSchema): void {
    const { leftOut } = catalogOf(schema, this.#isServed);
    const { troubles = [] } = schema;
    const added = troubles.filter((trouble) => !this.#troubles.includes(trouble));
    for (const trouble of toldTroubles(added)) this.#report(new RocketError("models-unfit", trouble), "schema");
    this.#troubles = troubles;
    const names = new Map<string, string[]>();
    for (const [name, reason] of leftOut) {
      if (this.#told.get(name) === reason) continue;
      names.set(reason, [...(names.get(reason) ?? []), JSON.stringify(name)]);
    }
    this.#told = leftOut;
    for (const [reason, list] of names) {
      this.#report(new RocketError("table-not-served", `Not served: ${list.join(", ")}; ${reason}.`), "schema");
    }
  }
}
