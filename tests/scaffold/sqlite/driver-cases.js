// Runs the built scaffold over one driver, in this Node: prints what each case gave, as JSON.
// Usage: node driver-cases.js node:sqlite|better-sqlite3 FOLDER
import Module from "node:module";
import { join } from "node:path";

const [driver, folder] = process.argv.slice(2);
if (driver === "node:sqlite") {
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (name === "better-sqlite3") throw new Error("This case does without.");
    return load(name, ...rest);
  };
}
const { createScaffold, detach } = await import("../../../dist/scaffold/index.js");
const { openConnection } = await import("../../../dist/scaffold/sqlite/driver.js");
const { brakeCondition } = await import("../../../dist/scaffold/sqlite/brake.js");
const { isBusy } = await import("../../../dist/scaffold/sqlite/sqlite-error.js");

let count = 0;

/** A body without its envelope and URLs. JSON has no infinity: it is named. */
function contentOf(text) {
  if (text === "") return "";
  const body = JSON.parse(text, (key, value) => (value === Infinity ? "Infinity" : key === "url" ? undefined : value));
  return body.detail ?? Object.values(body)[0];
}

/** Adds a trigger as a program does that takes strings in double quotes. */
function addForeignTrigger(path, sql) {
  const require = Module.createRequire(import.meta.url);
  if (driver === "node:sqlite") {
    const database = new (require("node:sqlite").DatabaseSync)(path, { enableDoubleQuotedStringLiterals: true });
    database.exec(sql);
    database.close();
    return;
  }
  const database = new (require("better-sqlite3"))(path);
  database.unsafeMode(true);
  database.pragma("writable_schema = ON");
  const row = database.prepare(
    "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('trigger', 'tr', 't', 0, ?)",
  );
  row.run(sql);
  database.close();
}

/** A database of its own, another program's connection to it, and the service over it. */
async function serve(sql, options = {}, trigger = "") {
  count += 1;
  const path = join(folder, `${count}.db`);
  const other = openConnection(path, { create: true });
  other.exec(`PRAGMA journal_mode = WAL; ${sql}`);
  if (trigger !== "") addForeignTrigger(path, trigger);
  const errors = [];
  const scaffold = await createScaffold({ path, onError: (error) => errors.push(String(error)), ...options });
  const send = async (method, target, body) => {
    const fields = body === undefined ? [] : [["Content-Type", "application/json"]];
    const answer = await scaffold.origin({ method, target, fields, body: body ?? "" });
    return [answer.status, contentOf(String(answer.body))];
  };
  return { path, other, scaffold, errors, send };
}

const cases = {
  async driver() {
    const connection = openConnection(":memory:", { create: true });
    const { name } = connection.constructor;
    connection.close();
    return name;
  },

  async values() {
    const { send, scaffold } =
      await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, b BLOB, x, s TEXT);
      INSERT INTO t VALUES (9007199254740993, -9223372036854775808, 1e300, x'00ff', 9223372036854775807, 'ü😀'),
        (7, NULL, 9e999, x'', -0.0, '')`);
    const [, rows] = await send("GET", "/t");
    const again = await send("PUT", "/t/9007199254740993", JSON.stringify(rows[1]));
    const posted = await send("POST", "/t", '{"i":9007199254740995,"b":"AAE=","s":"x"}');
    await scaffold.close();
    return [rows, again, posted];
  },

  async "double-quoted strings"() {
    const { send, scaffold, errors } = await serve(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT)",
      {},
      `CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES ("hello");
       UPDATE t SET b = "it" WHERE id = NEW.id; END`,
    );
    const answers = [await send("POST", "/t", '{"a":"x"}'), await send("GET", "/log"), await send("GET", "/t")];
    const isLive = (await scaffold.origin({ method: "GET", target: "/t", fields: [], body: "" })).view !== undefined;
    await scaffold.close();
    return [...answers, { isLive, errors }];
  },

  async busy() {
    const { other, path, send, scaffold } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, a)");
    other.exec("BEGIN IMMEDIATE");
    const third = openConnection(path);
    let locked;
    try {
      third.exec("INSERT INTO t VALUES (1, 2)");
    } catch (error) {
      locked = isBusy(error);
    }
    third.close();
    const waiting = send("POST", "/t", '{"a":1}');
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("COMMIT");
    const [status] = await waiting;
    await scaffold.close();
    return [locked, status];
  },

  async constraints() {
    const { send, scaffold } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE NOT NULL,
      c INTEGER CONSTRAINT small CHECK (c < 10), f INTEGER REFERENCES t); INSERT INTO t (id, n) VALUES (1, 1);
      CREATE TRIGGER r BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'kept for ever'); END`);
    const answers = [];
    for (const body of ['{"n":1}', "{}", '{"n":2,"c":11}', '{"n":3,"f":99}', '{"n":"x"}']) {
      answers.push(await send("POST", "/t", body));
    }
    answers.push(await send("DELETE", "/t/1"));
    await scaffold.close();
    return answers;
  },

  async journal() {
    const { other, path, scaffold } = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB, b)");
    const { journal } = scaffold;
    const seen = [];
    const position = journal.head.position;
    journal.tail(({ changes }) => seen.push(...changes.map(({ kind, url }) => `${kind} ${url}`)));
    other.exec(
      "INSERT INTO t VALUES (9007199254740993, x'00', 'a'); UPDATE t SET b = 9223372036854775807; DELETE FROM t",
    );
    other.exec("BEGIN; INSERT INTO t VALUES (2, 1, 1); ROLLBACK; INSERT OR REPLACE INTO t VALUES (3, 1, 1)");
    await journal.poll();
    const page = await journal.read(position, 100);
    const bodies = page.changes
      .filter(({ kind }) => kind !== "delete")
      .map((one) => contentOf(String(one.represent().body)));
    const before = page.changes.map(({ before: row }) => `${typeof row?.b} ${row?.b}`);
    await scaffold.close();
    await detach(path);
    const [[left]] = other.prepare("SELECT count(*) FROM sqlite_schema WHERE name <> 't'").all();
    return [seen, bodies, before, left];
  },

  async additions() {
    const { send, scaffold } = await serve(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
       CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = loud(NEW.a) WHERE id = NEW.id; END`,
      { functions: { loud: (text) => `${text}!` } },
    );
    const answer = await send("POST", "/t", '{"a":"x"}');
    await scaffold.close();
    const missing = await serve("CREATE TABLE t (id INTEGER PRIMARY KEY)", {
      extensions: [join(folder, "none.so")],
    }).then(
      () => "opened",
      (error) => error.code,
    );
    return [answer, missing];
  },

  async order() {
    const { send, scaffold } = await serve(`CREATE TABLE t (id INTEGER PRIMARY KEY, v);
      INSERT INTO t VALUES (1000000000000000000, 'b'), (999999999999999998, x'61'), (-5, 3), (7, NULL)`);
    const ids = async (target) => (await send("GET", target))[1].map(({ id }) => id);
    const found = [await ids("/t"), await ids("/t?order=v.desc")];
    await scaffold.close();
    return found;
  },

  async "ended reads"() {
    const { send, path, scaffold } = await serve(
      `CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
       WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) INSERT INTO t SELECT i, i FROM c`,
      { mainReadMs: 0 },
    );
    const connection = openConnection(path);
    const statement = () => connection.prepare(`SELECT id FROM t WHERE ${brakeCondition} ORDER BY n DESC`);
    const end = () => {
      throw new Error("enough");
    };
    const found = [];
    for (const run of [() => statement().all(), () => statement().each(() => true)]) {
      try {
        connection.brake.guard(end, run);
      } catch ({ message }) {
        found.push(message);
      }
      found.push(statement().all().length);
      statement().each((row) => void found.push(row[0]));
    }
    connection.close();
    found.push(await send("GET", "/t?n=7"), (await send("GET", "/t?order=nothing"))[0]);
    await scaffold.close();
    return found;
  },
};

const results = {};
for (const [name, run] of Object.entries(cases)) results[name] = await run();
console.log(JSON.stringify(results));
