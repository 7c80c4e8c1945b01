import type { Client } from "pg";
import type { CommittedChange, Transaction } from "./history.ts";

/** What happened to a record: `create 3`, `update 4`, `delete`. */
type Steps = Map<string, string[]>;

const line = /^table public\.(songs|albums): (INSERT|UPDATE|DELETE): (?:old-key: (.*) new-tuple: )?(.*)$/;
const truncated = /^table public\.(.*): TRUNCATE:/;
const keys: Readonly<Record<string, string>> = { songs: "id", albums: "code" };

function add(steps: Steps, url: string, step: string): void {
  const former = steps.get(url);
  if (former) former.push(step);
  else steps.set(url, [step]);
}

function isThere(steps: readonly string[]): boolean {
  return steps.at(-1) !== "delete";
}

/** A column's value in what the plugin `test_decoding` prints. */
function columnOf(text: string, name: string): string {
  const [, quoted, plain = ""] = new RegExp(`(?:^| )${name}\\[[^\\]]+\\]:(?:'((?:[^']|'')*)'|(\\S+))`).exec(text) ?? [];
  return quoted?.replaceAll("''", "'") ?? plain;
}

/** What the log of PostgreSQL says was done to each record, in the order of the commits. */
function stepsOfLog(lines: readonly string[]): Steps {
  const steps: Steps = new Map();
  for (const data of lines) {
    const [, names] = truncated.exec(data) ?? [];
    for (const name of names?.split(", ") ?? []) {
      const prefix = `/${name.replace("public.", "")}/`;
      for (const [url, told] of steps) if (url.startsWith(prefix) && isThere(told)) told.push("delete");
    }
    const [, table = "", kind, former, values = ""] = line.exec(data) ?? [];
    if (!kind) continue;
    const urlOf = (text: string): string => `/${table}/${columnOf(text, keys[table] ?? "")}`;
    if (kind === "DELETE" || former !== undefined) add(steps, urlOf(former ?? values), "delete");
    if (kind === "DELETE") continue;
    const isUpdate = kind === "UPDATE" && former === undefined;
    add(steps, urlOf(values), `${isUpdate ? "update" : "create"} ${columnOf(values, "version")}`);
  }
  return steps;
}

function stepOf({ before, after }: CommittedChange): string {
  if (!after) return "delete";
  return `${before ? "update" : "create"} ${after.version}`;
}

function stepsOfJournal(transactions: readonly Transaction[]): Steps {
  const steps: Steps = new Map();
  for (const change of transactions.flatMap(({ changes }) => changes)) {
    const isKnown = Object.keys(keys).some((table) => change.url.startsWith(`/${table}/`));
    if (isKnown) add(steps, decodeURIComponent(change.url), stepOf(change));
  }
  return steps;
}

function differences(log: Steps, journal: Steps): string[] {
  return [...new Set([...log.keys(), ...journal.keys()])].flatMap((url) => {
    const [should = [], has = []] = [log.get(url), journal.get(url)];
    const at = should.findIndex((step, nth) => step !== has[nth]);
    if (at < 0 && has.length === should.length) return [];
    const place = at < 0 ? should.length : at;
    return [`step ${place} of ${url} was ${should[place] ?? "none"}, and the journal has ${has[place] ?? "none"}`];
  });
}

/** What PostgreSQL's own log says was committed, which knows nothing of triggers: logical decoding. */
export class CommitLog {
  readonly #slot: string;

  private constructor(slot: string) {
    this.#slot = slot;
  }

  /** From now on all is kept. */
  static async begin(client: Client, name: string): Promise<CommitLog> {
    const slot = `log_${name}`;
    await client.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [slot]);
    return new CommitLog(slot);
  }

  /** Compares it with the journal, record by record, and ends it. */
  async compare(
    client: Client,
    transactions: readonly Transaction[],
  ): Promise<{ readonly records: number; readonly violations: string[] }> {
    const { rows } = await client.query<{ data: string }>(
      "SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL)",
      [this.#slot],
    );
    await client.query("SELECT pg_drop_replication_slot($1)", [this.#slot]);
    const log = stepsOfLog(rows.map(({ data }) => data));
    const violations = differences(log, stepsOfJournal(transactions));
    return { records: log.size, violations: violations.map((text) => `the log of PostgreSQL: ${text}`) };
  }
}
