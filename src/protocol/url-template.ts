/**
 * A value as one part of a URL: everything but letters, digits, `-`, `.`, `_` and `~` is percent-encoded, as UTF-8
 * (RFC 6570 §3.2.2). Both ends make record URLs with it, so that they are equal byte for byte [R-FLD-4].
 */
export function encodeUrlPart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decodeName(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function memberText(row: unknown, name: string | undefined): string | undefined {
  if (name === undefined || typeof row !== "object" || row === null || !Object.hasOwn(row, name)) return undefined;
  const value: unknown = Reflect.get(row, name);
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return undefined;
  }
}

/** The expression that stands for a member of the row in a URL template: `{id}`. Odd characters are percent-encoded. */
export function urlTemplateExpression(name: string): string {
  return `{${encodeUrlPart(name).replaceAll("-", "%2D").replaceAll("~", "%7E")}}`;
}

/**
 * Expands a URL template (RFC 6570 level 1: `{name}` only) over a row's members. `undefined` where the template is
 * malformed or a member is missing, `null` or not a string, number or boolean [R-FLD-4].
 */
export function expandUrlTemplate(template: string, row: unknown): string | undefined {
  let url = "";
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{", at);
    const literal = template.slice(at, open < 0 ? template.length : open);
    if (literal.includes("}")) return undefined;
    url += literal;
    if (open < 0) break;
    const close = template.indexOf("}", open);
    if (close <= open + 1) return undefined;
    const name = template.slice(open + 1, close);
    const text = /^(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})+$/.test(name) ? memberText(row, decodeName(name)) : undefined;
    if (text === undefined) return undefined;
    url += encodeUrlPart(text);
    at = close + 1;
  }
  return url;
}
