import { readable } from "./readable.ts";

/** What is followed, and how the page reaches it. */
export interface SnippetPlace {
  /** The scheme and host: `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** What stands before all paths: nothing, or `/api`. */
  readonly base: string;
  /** The path and query. */
  readonly target: string;
  /** How Rocket's command is called. */
  readonly command: string;
  /**
   * How requests show whose they are. `token`: what is copied reads the variable `TOKEN`. An email: who has signed in by a cookie has
   * no token, so that what is copied asks for the password, and signs in.
   */
  readonly signIn: "none" | "token" | { readonly email: string };
}

/** What a shell does before a request that shows a token, in one line: pasted, what follows would be read as the password. */
function shellBefore({ origin, base, signIn }: SnippetPlace): string {
  if (typeof signIn === "string") return "";
  const ask = `printf 'Password: '; stty -echo; read -r PASSWORD; stty echo; echo`;
  const post = `curl -s ${quoted(`${origin}${base}/auth/sign-in`)} --data-urlencode ${quoted(`email=${signIn.email}`)} --data-urlencode "password=$PASSWORD"`;
  return `${ask}; TOKEN=$(${post} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'); `;
}

function makesClient({ origin, base, signIn }: SnippetPlace, token: string): string[] {
  const url = JSON.stringify(origin + base);
  return [`const client = createClient(${url}${signIn === "token" ? `, { token: () => ${token} }` : ""});`];
}

/** Something to copy that runs as it is. */
export interface Snippet {
  readonly name: string;
  readonly text: string;
}

/** A text as a POSIX shell takes it. */
function quoted(text: string): string {
  return /^[\w./:@%,=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function componentName(target: string): string {
  const [path = ""] = target.split("?");
  const words = readable(path.slice(path.lastIndexOf("/") + 1)).match(/[A-Za-z0-9]+/g) ?? [];
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Z]/.test(name) ? name : `Rows${name}`;
}

function clientText(place: SnippetPlace): string {
  const { origin, base, target, signIn } = place;
  const hasPassword = typeof signIn !== "string";
  const session = hasPassword
    ? [
        `const session = createSession(${JSON.stringify(origin + base)}, { keep: "token" });`,
        `await session.signIn({ email: ${JSON.stringify(signIn.email)}, password: process.env.PASSWORD ?? "" });`,
        "const { client } = session;",
      ]
    : makesClient(place, "process.env.TOKEN");
  return [
    `import { create${hasPassword ? "Session" : "Client"} } from "rocket-rest/client";`,
    "",
    ...session,
    `const list = client.collection(${JSON.stringify(target)});`,
    "list.subscribe(() => console.log(list.getSnapshot().rows));",
    "",
  ].join("\n");
}

/** Where there is a cookie, the front end of the same origin has it, too. */
function reactText(place: SnippetPlace): string {
  const { target } = place;
  const name = componentName(target);
  return [
    'import { RocketProvider, useCollection } from "rocket-rest/react";',
    'import { createClient } from "rocket-rest/client";',
    "",
    ...makesClient(place, 'sessionStorage.getItem("token") ?? undefined'),
    "",
    `function ${name}() {`,
    `  const { rows, status } = useCollection(${JSON.stringify(target)});`,
    "  return <pre>{status.state + JSON.stringify(rows, null, 2)}</pre>;",
    "}",
    "",
    `export const App = () => <RocketProvider client={client}><${name} /></RocketProvider>;`,
    "",
  ].join("\n");
}

function eventSourceText({ origin, target }: SnippetPlace): string {
  return [
    `const source = new EventSource(${JSON.stringify(origin + target)});`,
    'for (const type of ["200", "201", "202", "204"]) {',
    "  source.addEventListener(type, (event) => console.log(type, event.lastEventId, event.data));",
    "}",
    "",
  ].join("\n");
}

/** Ways to read and follow what the page shows, from elsewhere. */
export function snippetsOf(place: SnippetPlace): Snippet[] {
  const { origin, target, command, signIn } = place;
  const url = quoted(origin + target);
  const before = shellBefore(place);
  const header = signIn === "none" ? "" : '"Authorization: Bearer $TOKEN"';
  const all = [
    { name: "curl", text: `${before}curl -g -i ${url}${header && ` -H ${header}`}` },
    { name: "rocket tail", text: `${before}${command} tail ${url}${header && ` --header ${header}`}` },
    { name: "Client code", text: clientText(place) },
    { name: "React hook", text: reactText(place) },
  ];
  // An EventSource can't show a token.
  return signIn === "token" ? all : [...all, { name: "EventSource", text: eventSourceText(place) }];
}

/** A request that writes, as curl sends it. @param place - `target` is where to */
export function curlOf(method: string, place: SnippetPlace, body: string): string {
  const { origin, target, signIn } = place;
  const data = body === "" ? "" : ` -H 'Content-Type: application/json' -d ${quoted(body)}`;
  const header = signIn === "none" ? "" : ' -H "Authorization: Bearer $TOKEN"';
  return `${shellBefore(place)}curl -g -X ${method} ${quoted(origin + target)}${header}${data}`;
}

/** Words that SQL takes for its own where they stand for a table or a column. */
const reserved = new Set(
  (
    "add all alter and as asc between by case check collate column commit constraint create cross current_date current_time " +
    "current_user default delete desc distinct do drop else end except exists fetch for foreign from full grant group having " +
    "if in index inner insert intersect into is join left like limit natural not null offset on or order outer primary " +
    "references right rollback select set some table then to transaction union unique update user using values when where window with"
  ).split(" "),
);

/** SQL that changes one value of one row, as a shell runs it. */
export function updateCommand(
  shell: string,
  {
    table,
    key,
    column,
    value,
  }: {
    readonly table: string;
    readonly key: Readonly<Record<string, unknown>>;
    readonly column: string;
    readonly value: unknown;
  },
): string {
  // PostgreSQL folds what is not quoted.
  const plain = shell.startsWith("psql") ? /^[a-z_][a-z0-9_]*$/ : /^\w+$/;
  const name = (text: string): string =>
    plain.test(text) && !reserved.has(text.toLowerCase()) ? text : `"${text.replaceAll('"', '""')}"`;
  const literal = (one: unknown): string =>
    typeof one === "number" ? String(one) : `'${String(one).replaceAll("'", "''")}'`;
  const where = Object.entries(key).map(([member, one]) => `${name(member)} = ${literal(one)}`);
  const sql = `UPDATE ${name(table)} SET ${name(column)} = ${literal(value)} WHERE ${where.join(" AND ")}`;
  // Between double quotes, an interactive shell takes `!` for its history, and nothing escapes it.
  return `${shell} ${sql.includes("!") ? quoted(sql) : `"${sql.replace(/[\\"$`]/g, "\\$&")}"`}`;
}
