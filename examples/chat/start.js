// Builds the chat, creates its database on the first start, and serves both. `npm run chat` runs this.
// node examples/chat/start.js [port] [database]
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { runServe } from "../../dist/cli/index.js";
import { openDatabase } from "../music/create.js";

const given = process.argv[2] ?? process.env.PORT ?? "8080";
const root = fileURLToPath(new URL(".", import.meta.url));
const path = process.argv[3] ?? `${root}chat.db`;

/** Creates the database. Interrupted, it leaves nothing there. */
function createChat() {
  const draft = `${path}.new`;
  for (const end of ["", "-wal", "-shm"]) rmSync(draft + end, { force: true });
  const database = openDatabase(draft);
  database.exec(readFileSync(`${root}chat.sql`, "utf8"));
  database.close();
  renameSync(draft, path);
}

async function start() {
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) {
    console.error(`start: the port must be a whole number from 0 to 65535, not ${JSON.stringify(given)}.`);
    return 2;
  }
  await build({ root, logLevel: "warn" });
  if (!existsSync(path)) createChat();
  return runServe({
    database: relative(process.cwd(), path),
    port: Number(given),
    publicFolder: `${root}dist`,
    portHint: "PORT=8081 npm run chat",
    commandHint: "npx rocket",
    onListening: (url) => console.log(`\nOpen ${url} in two windows, and write. Ctrl-C stops the server.`),
  });
}

process.exitCode = await start();
