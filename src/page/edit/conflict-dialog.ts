import type { Conflict } from "../../client/index.ts";
import { element } from "../dom.ts";
import { cellText } from "../rows/cell-text.ts";
import type { Row } from "../rows/row-source.ts";
import type { CollectionInfo } from "../schema.ts";
import { ask } from "./dialog.ts";

/**
 * Shows both versions of a record that somebody else has changed meanwhile, and lets the user choose.
 *
 * @returns the members to write over the other version; `undefined` where that stays
 */
export function askConflict(
  { columns }: CollectionInfo,
  { mine, theirs }: Conflict<Row>,
  seen: Row,
): Promise<Row | undefined> {
  const shown = (row: Row | undefined, name: string): string => {
    const column = columns.find((one) => one.name === name);
    return row && column ? cellText(row[name], column).text : "";
  };
  const isTouched = (name: string): boolean => name in mine || shown(theirs, name) !== shown(seen, name);
  const lines = columns
    .filter(({ name }) => isTouched(name))
    .map(({ name }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, shown(seen, name)),
        element("td", { class: "theirs" }, theirs ? shown(theirs, name) : "gone"),
        element("td", { class: "mine" }, name in mine ? shown(mine, name) : shown(theirs, name)),
      ),
    );
  const heads = ["", "You saw", "Now there", "You write"].map((text) => element("th", { scope: "col" }, text));
  const text = theirs
    ? "Somebody else has changed this record since you began. Nothing was written yet."
    : "Somebody else has deleted this record. There is nothing to write to.";
  const table = element(
    "table",
    { class: "versions" },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...lines),
  );
  const keep = ["Keep theirs", undefined] as const;
  const choices = theirs ? [keep, ["Write mine", mine] as const] : [keep];
  return ask<Row | undefined>("Changed by somebody else", [element("p", {}, text), table], choices);
}
