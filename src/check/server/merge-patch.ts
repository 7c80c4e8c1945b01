function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Applies a merge patch (RFC 7396 §2). */
export function patched(before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const members = new Map(isObject(before) ? Object.entries(before) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, patched(members.get(name), value));
  }
  return Object.fromEntries(members);
}

/** A value within objects, so that a JSON pointer leads to it. */
export function within(pointer: string, value: unknown): unknown {
  const names = pointer.split("/").slice(1).reverse();
  return names.reduce(
    (inner, name) => Object.fromEntries([[name.replaceAll("~1", "/").replaceAll("~0", "~"), inner]]),
    value,
  );
}
