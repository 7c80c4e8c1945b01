import type { Filter, Parameter } from "../filter/index.ts";

/**
 * Stands in for reading filters where each byte counts, as in the page: all rows are in a list that asks for all of them, and of
 * any other the server tells what is in it.
 *
 * @throws Error where a list asks for some of its rows
 */
export function parseFilter(parameters: readonly Parameter[]): Filter {
  if (parameters.length > 0) throw new Error("left out");
  return { kind: "and", parts: [] };
}

/** Whether a row is in a list that asks for all of them. */
export function matchRow(): boolean {
  return true;
}
