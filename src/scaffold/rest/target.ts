import { Refusal, shorten } from "./refusal.ts";

/** A request target, taken apart. */
export interface Target {
  /** The path's segments as sent; one empty segment for `/`. */
  readonly segments: readonly string[];
  /** The query's parameters, decoded, in order. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** How long a query may be, as sent. */
export const maxQueryBytes = 8_192;

/** Undoes percent-encoding. @throws Refusal 400 where it is malformed */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, `The URL has a malformed percent-encoding in "${shorten(text)}".`);
  }
}

function decodeParameter(text: string): string {
  return decodePart(text.replaceAll("+", " "));
}

/**
 * Takes a request target apart. In the query, `+` is a space.
 *
 * @throws Refusal 400 where it is malformed, or has too long a query
 */
export function parseTarget(target: string): Target {
  const question = target.indexOf("?");
  const path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? "" : target.slice(question + 1);
  if (query.length > maxQueryBytes) throw new Refusal(400, `The query has more than ${maxQueryBytes / 1024} KiB.`);
  if (!path.startsWith("/")) throw new Refusal(400, "The request target must begin with a slash.");
  const parameters = query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      if (equals < 0) return [decodeParameter(part), ""] as const;
      return [decodeParameter(part.slice(0, equals)), decodeParameter(part.slice(equals + 1))] as const;
    });
  return { segments: path.slice(1).split("/"), parameters };
}
