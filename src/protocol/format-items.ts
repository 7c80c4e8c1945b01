import type { Items } from "./items.ts";

function formatString(text: string): string {
  if (/^[ -~]*$/.test(text)) return `"${text.replace(/["\\]/g, "\\$&")}"`;
  const wellFormed = text.replace(/\p{Surrogate}/gu, "\ufffd");
  const encoded = wellFormed.replace(/["%]|[^ -~]+/gu, (part) => encodeURIComponent(part).toLowerCase());
  return `%"${encoded}"`;
}

/** Writes an `Items` field: `list="/artists", record="/artist", url="/artists/{id}"`. */
export function formatItems(items: Items): string {
  const { list, record, url, link, unfit } = items;
  const members = Object.entries({ list, record, url, link, unfit });
  return members.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${formatString(value)}`])).join(", ");
}
