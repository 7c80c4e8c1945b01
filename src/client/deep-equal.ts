/** What is nested deeper counts as different: nothing that a server sends may use up the stack. */
const maxDepth = 200;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether two JSON values are equal; the order of members does not count. */
export function isDeepEqual(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b) || depth > maxDepth) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isDeepEqual(Reflect.get(a, name), Reflect.get(b, name), depth + 1))
  );
}

/** True where a record has these members, equal; what else it has does not count. */
export function hasMembers(record: unknown, members: object): boolean {
  return (
    isObject(record) && Object.entries(members).every(([name, value]) => isDeepEqual(Reflect.get(record, name), value))
  );
}
