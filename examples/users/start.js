// Serves a page on which people sign in, and the notes that they write. After `npm run build`:
// node examples/users/start.js [port] [database]
import { cpSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runServe } from "../../dist/cli/index.js";
import { openDatabase } from "../music/create.js";

const given = process.argv[2] ?? process.env.PORT ?? "8080";
const path = process.argv[3] ?? fileURLToPath(new URL("notes.db", import.meta.url));
const dist = fileURLToPath(new URL("../../dist", import.meta.url));

function createNotes() {
  const database = openDatabase(path);
  database.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, author TEXT NOT NULL, text TEXT NOT NULL)");
  database.close();
}

/** The page, and beside it the client as browsers load it: no bundler is needed. */
function makePublicFolder() {
  const folder = mkdtempSync(join(tmpdir(), "rocket-users-"));
  cpSync(fileURLToPath(new URL("index.html", import.meta.url)), join(folder, "index.html"));
  for (const layer of ["client", "filter", "protocol"])
    cpSync(join(dist, layer), join(folder, "rocket", layer), { recursive: true });
  return folder;
}

async function start() {
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) {
    console.error(`start: the port must be a whole number from 0 to 65535, not ${JSON.stringify(given)}.`);
    return 2;
  }
  if (!existsSync(path)) createNotes();
  return runServe({
    database: relative(process.cwd(), path),
    port: Number(given),
    users: true,
    rules: fileURLToPath(new URL("rocket.rules.json", import.meta.url)),
    publicFolder: makePublicFolder(),
    portHint: "another port as the first argument",
    commandHint: "npx rocket",
    onListening: (url) => console.log(`\nOpen ${url}, and make an account. Ctrl-C stops the server.`),
  });
}

process.exitCode = await start();
