import { BrokenRule, type Place } from "../../engine/broken-rule.ts";
import type { Text } from "../driver.ts";
import { failedOf } from "./failure.ts";
import { brokenRule } from "./rule.ts";
import type { PostgresTable } from "./served.ts";

/** A record that was written, with the values that it was given by the names of their columns. */
interface Written {
  readonly table: PostgresTable;
  readonly values: ReadonlyMap<string, Text>;
  readonly place: Place;
}

/** Whether PostgreSQL says of just these values that they break a rule. */
function isAbout(error: unknown, { columns }: BrokenRule, values: ReadonlyMap<string, Text>): boolean {
  // `Key (a, b)=(1, 2) is not present …`, in whatever language.
  const [, said] = /\)=\((.*)\)/s.exec(failedOf(error)?.detail ?? "") ?? [];
  return said !== undefined && columns.length > 0 && said === columns.map((name) => values.get(name)).join(", ");
}

/** What a transaction has written, in its order: rules that are checked late are about it. */
export class WrittenRecords {
  readonly #written: Written[] = [];

  add(written: Written): void {
    this.#written.push(written);
  }

  /** An error at the commit as the rule that was broken, and by which record. */
  explain(error: unknown): unknown {
    const rules = this.#written.map((one) => ({ one, rule: brokenRule(error, one.table, one.values) }));
    const about = rules.find(({ one, rule }) => rule instanceof BrokenRule && isAbout(error, rule, one.values));
    if (about?.rule instanceof BrokenRule) return about.rule.at(about.one.place);
    const last = rules.at(-1);
    return last ? last.rule : error;
  }
}
