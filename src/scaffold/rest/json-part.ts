import type { JsonPath } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { ValueType } from "../engine/value-type.ts";
import { formatJson, isJsonObject } from "../json/json.ts";
import { NestingError } from "../json/json-reader.ts";
import { Refusal, shorten } from "./refusal.ts";

function stepInto(json: unknown, step: string | number): unknown {
  if (typeof step === "number") return Array.isArray(json) ? json.at(step) : undefined;
  return isJsonObject(json) && Object.hasOwn(json, step) ? json[step] : undefined;
}

function textOf(json: unknown, { text }: JsonPath): string {
  try {
    return formatJson(json);
  } catch (error) {
    if (!(error instanceof NestingError)) throw error;
    throw new Refusal(422, `What "${shorten(text)}" leads to is nested too deeply to be shown by itself.`);
  }
}

/**
 * What a path into a column leads to, as JSON; `null` where that is nothing.
 *
 * @throws Refusal 422 where it is nested too deeply
 */
export function partJson(type: ValueType, value: Value, path: JsonPath): string {
  const whole = value === null ? null : type.readJson(value);
  const found = path.steps.reduce(stepInto, whole) ?? null;
  const json = textOf(found, path);
  return path.isText && found !== null && typeof found !== "string" ? JSON.stringify(json) : json;
}

/** What a part is called where nothing else is said: by the last name on its path, as PostgREST has it. */
export function partName({ column, steps }: JsonPath): string {
  return steps.findLast((step) => typeof step === "string") ?? column;
}

function formatStep(step: string | number): string {
  if (typeof step === "number") return String(step);
  return /^[A-Za-z_]\w*$/.test(step) ? step : `"${step.replace(/["\\]/g, "\\$&")}"`;
}

/** The steps of a path as a `select` in canonical form has them. */
export function formatSteps({ steps, isText }: JsonPath): string {
  return steps.map((step, at) => `->${isText && at === steps.length - 1 ? ">" : ""}${formatStep(step)}`).join("");
}
