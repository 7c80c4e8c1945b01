/** A column of a view's own SELECT, and the column of a relation that it shows as it is; zeros where it is computed. */
export interface ShownColumn {
  readonly relation: string;
  readonly attribute: number;
}

/** What of a view's query tells where its rows come from. */
export interface QueryFacts {
  /** In the view's order. */
  readonly columns: readonly ShownColumn[];
  /** The relation that gives each row at most once; `undefined` where several do, or something else. */
  readonly relation: string | undefined;
}

/** A node of PostgreSQL's text of a query: its members' texts by their names. */
type Node = ReadonlyMap<string, string>;

/** Takes a text of nodes apart, as far as `{` and `(` go: what is within one is one piece. */
function* pieces(text: string): Generator<string> {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "\\") {
      at += 1;
    } else if (sign === "{" || sign === "(") {
      if (depth === 0) start = at;
      depth += 1;
    } else if (sign === "}" || sign === ")") {
      depth -= 1;
      if (depth === 0) yield text.slice(start, at + 1);
    } else if (depth === 0 && sign !== " " && (at === 0 || /[\s)}]/.test(text[at - 1] ?? ""))) {
      start = at;
      while (at + 1 < text.length && !/[\s(){}]/.test(text[at + 1] ?? "")) at += text[at + 1] === "\\" ? 2 : 1;
      yield text.slice(start, at + 1);
    }
  }
}

/** `{QUERY :commandType 1 …}` */
function readNode(text: string): Node {
  const members = new Map<string, string>();
  let name: string | undefined;
  for (const piece of pieces(text.slice(1, -1))) {
    if (piece.startsWith(":")) name = piece.slice(1);
    else if (name !== undefined && !members.has(name)) members.set(name, piece);
  }
  return members;
}

/** `({…} {…})` */
function readList(text: string | undefined): string[] {
  return text?.startsWith("(") ? [...pieces(text.slice(1, -1))] : [];
}

/** The only relation that a query is from, where nothing gives one of its rows twice. */
function onlyRelation(query: Node): string | undefined {
  const isPlain = query.get("setOperations") === "<>" && query.get("hasTargetSRFs") === "false";
  const joins = readNode(query.get("jointree") ?? "{}");
  const [from = "", ...others] = readList(joins.get("fromlist"));
  if (!isPlain || others.length > 0 || !from.startsWith("{RANGETBLREF")) return undefined;
  const at = Number(readNode(from).get("rtindex"));
  const entry = readNode(readList(query.get("rtable"))[at - 1] ?? "{}");
  return entry.get("rtekind") === "0" ? entry.get("relid") : undefined;
}

/** Reads a view's query, as `pg_rewrite.ev_action` has it. */
export function readQueryTree(action: string): QueryFacts {
  const [text = "{}"] = readList(action);
  const query = readNode(text);
  const entries = readList(query.get("targetList")).map(readNode);
  const columns = entries
    .filter((entry) => entry.get("resjunk") !== "true")
    .map((entry) => ({
      relation: entry.get("resorigtbl") ?? "0",
      attribute: Number(entry.get("resorigcol") ?? 0),
    }));
  return { columns, relation: onlyRelation(query) };
}
