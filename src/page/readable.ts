/** A part of a URL as a person reads it: as it is, where it is not well encoded. */
export function readable(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
