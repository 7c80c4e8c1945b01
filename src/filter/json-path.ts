import { FilterError } from "./filter-error.ts";

/** A way into a column's JSON: `data->tags->0->>name`. */
export interface JsonPath {
  readonly column: string;
  /** Names of members, and places in arrays: from 0, or from the end, which is -1. */
  readonly steps: readonly (string | number)[];
  /** Whether what is there is taken as a text, by `->>`; else it is JSON. */
  readonly isText: boolean;
  /** The path in its one spelling. */
  readonly text: string;
}

/** How many steps a path may have. */
const maxSteps = 32;

const start = /->>?/;
/** A step: its arrow, and a name in double quotes, or one without arrows. */
const step = /(->>?)(?:"((?:[^"\\]|\\.)*)"|((?:[^"-]|-(?!>))*))(?=->|$)/suy;
const place = /^-?(?:0|[1-9]\d{0,8})$/;

function formatStep(one: string | number): string {
  if (typeof one === "number") return String(one);
  const isPlain = /^[^>]/.test(one) && !place.test(one) && !one.includes('"') && !one.includes("->");
  return isPlain ? one : `"${one.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Reads the name of a column and a path into its JSON; `undefined` where there is no path.
 *
 * @throws FilterError where a path is malformed
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const begin = start.exec(text)?.index ?? -1;
  if (begin < 1) return undefined;
  const column = text.slice(0, begin);
  const steps: (string | number)[] = [];
  let isText = false;
  for (let at = begin; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const [found, arrow, quoted, plain = ""] = step.exec(text) ?? [];
    if (found === undefined || isText || ((quoted ?? plain) === "" && quoted === undefined))
      throw new FilterError(
        `A path into JSON is written as data->name->0->>text, with ->> before its last step alone, and names with "->" or quotes in double quotes.`,
      );
    if (steps.length === maxSteps) throw new FilterError(`A path into JSON has more than ${maxSteps} steps.`);
    steps.push(quoted === undefined ? (place.test(plain) ? Number(plain) : plain) : quoted.replace(/\\(.)/gsu, "$1"));
    isText = arrow === "->>";
  }
  const arrows = steps.map((one, at) => `${isText && at === steps.length - 1 ? "->>" : "->"}${formatStep(one)}`);
  return { column, steps, isText, text: column + arrows.join("") };
}
