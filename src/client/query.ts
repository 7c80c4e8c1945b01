type Scalar = string | number | boolean;

/** The values that a member can be compared with in a URL. */
type Comparable<Value> = unknown extends Value ? Scalar : Extract<Value, Scalar>;

/** What of a collection is wanted: members that must be equal, the order, a window. */
export interface Query<Row> {
  /** Members and the values that they must have. */
  readonly where?: { readonly [Name in keyof Row]?: Comparable<Row[Name]> };
  /** `name`, `name.desc`, or several of them. Default: the server's. */
  readonly order?: Order<Row> | readonly Order<Row>[];
  /** Records at most. Default: the server's. */
  readonly limit?: number;
  /** Records to skip. Default 0. */
  readonly offset?: number;
}

/** A member's name, alone or with a direction. */
export type Order<Row> = `${Extract<keyof Row, string>}${"" | ".asc" | ".desc"}`;

/** A path with a query behind it. @throws TypeError where `where` names a member without a value to compare with */
export function queryPath<Row>(path: string, { where, order, limit, offset }: Query<Row>): string {
  for (const [name, value] of Object.entries(where ?? {})) {
    // Left out, it would ask for all rows.
    if (value === undefined || value === null)
      throw new TypeError(`where.${name} is ${value}: give a value, or ask later.`);
  }
  const parameters = new URLSearchParams();
  const all = [
    ...Object.entries(where ?? {}),
    ["order", order && [order].flat().join(",")],
    ["limit", limit],
    ["offset", offset],
  ];
  for (const [name, value] of all) if (value !== undefined) parameters.append(String(name), String(value));
  const query = parameters.toString();
  return query ? `${path}${path.includes("?") ? "&" : "?"}${query}` : path;
}
