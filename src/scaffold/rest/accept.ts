import { acceptedRanges, acceptWeight, type Field, fieldValue, type MediaRange } from "../../protocol/index.ts";
import { formType } from "./form-type.ts";
import { Refusal, shorten } from "./refusal.ts";

/** What PostgREST's clients call a list with nothing around it. */
export const listType = "application/vnd.pgrst.array+json";

/** What a peer accepts, of which nothing is taken for less than it says: nulls are never left out here. */
export function rangesOf(fields: readonly Field[]): readonly MediaRange[] {
  return acceptedRanges(fields).map((range) => (range.parameters.has("nulls") ? { ...range, weight: 0 } : range));
}

/** How much a media type is wanted by its own name. */
export function weightByName(ranges: readonly MediaRange[], mediaType: string): number {
  return Math.max(0, ...ranges.filter(({ type }) => type === mediaType).map(({ weight }) => weight));
}

/** How much JSON is wanted, from 0 to 1. */
export function jsonWeight(ranges: readonly MediaRange[]): number {
  return acceptWeight(ranges, "application/json");
}

/** Checks that the peer takes JSON, whatever it calls it. @throws Refusal 406 */
export function requireJsonAccepted(fields: readonly Field[]): void {
  const ranges = rangesOf(fields);
  if (jsonWeight(ranges) > 0 || weightByName(ranges, listType) > 0) return;
  throw new Refusal(406, "Records are there as application/json only, and Accept does not take that.");
}

function isJsonType(contentType: string, types: readonly string[]): boolean {
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const isUtf8 = charset === undefined || charset === "utf-8" || charset === '"utf-8"' || charset === "utf8";
  return types.includes(type) && isUtf8;
}

const acceptedTypes: Readonly<Record<string, readonly [field: string, types: readonly string[]]>> = {
  POST: ["Accept-Post", ["application/json"]],
  PUT: ["Accept", ["application/json"]],
  PATCH: ["Accept-Patch", ["application/json", "application/merge-patch+json", "application/json-patch+json"]],
};

/** The field that says which bodies a method takes. */
export function acceptedBodies(method: string): Field | undefined {
  const accepted = acceptedTypes[method];
  return accepted && [accepted[0], [...accepted[1], formType].join(", ")];
}

/**
 * Checks that the body is of a type that the method takes.
 *
 * @param others - types that it takes beside these, for the answer
 * @throws Refusal 415
 */
export function requireJsonBody(method: string, fields: readonly Field[], others: readonly string[] = []): void {
  const [field, types] = acceptedTypes[method] ?? ["Accept", []];
  const all = [...types, ...others].join(", ");
  const contentType = fieldValue(fields, "Content-Type");
  const encoding = fieldValue(fields, "Content-Encoding") ?? "identity";
  if (contentType !== undefined && isJsonType(contentType, types) && encoding.toLowerCase() === "identity") return;
  const given = contentType === undefined ? "it has no Content-Type" : `this one is "${shorten(contentType)}"`;
  const detail =
    encoding.toLowerCase() === "identity"
      ? `A ${method} takes a body of type ${[...types, ...others].join(" or ")}; ${given}.`
      : `A ${method} takes no body with Content-Encoding "${shorten(encoding)}".`;
  throw new Refusal(415, detail, { fields: [[field, all]] });
}
