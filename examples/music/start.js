// Serves the music database; creates it on the first start. `npm start` runs this.
// node examples/music/start.js [--postgres] [port] [database, or PostgreSQL's folder]
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runServe } from "../../dist/cli/index.js";
import { createMusic } from "./create.js";

const isPostgres = process.argv.includes("--postgres");
const [argument, file] = process.argv.slice(2).filter((one) => one !== "--postgres");
const given = argument ?? process.env.PORT ?? "8080";
const path = file ?? fileURLToPath(new URL("music.db", import.meta.url));
const shown = relative(process.cwd(), path);

/** The PostgreSQL that runs, with `--postgres`. */
let postgres;

function showWhatToTry(url) {
  const insert = "INSERT INTO artists (name, country, genre, formed) VALUES ('Low', 'United States', 'slowcore', 1993)";
  const json = '{"name":"Stereolab","country":"United Kingdom","genre":"pop","formed":1990}';
  console.log(`
Open it:            ${url}

Read it:            curl '${url}/artists?genre=jazz'
Follow it:          npx rocket tail ${url}/artists
Write with SQL:     ${isPostgres ? `psql '${postgres.url}' -c` : `sqlite3 ${shown}`} "${insert}"
Write with HTTP:    curl ${url}/artists -H 'Content-Type: application/json' -d '${json}'

Keep the page open, or the second in a terminal of its own, then write. Ctrl-C stops the server.`);
}

const options = {
  port: Number(given),
  portHint: `PORT=8081 npm start${isPostgres ? " -- --postgres" : ""}`,
  commandHint: "npx rocket",
  onListening: showWhatToTry,
};

async function start() {
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) {
    console.error(`start: the port must be a whole number from 0 to 65535, not ${JSON.stringify(given)}.`);
    return 2;
  }
  if (isPostgres) return servePostgres();
  if (!existsSync(path)) {
    process.stdout.write("Creating the music database … ");
    createMusic(path);
    console.log("done.");
  }
  return runServe({ ...options, database: shown });
}

async function servePostgres() {
  process.stdout.write("Starting PostgreSQL … ");
  const { startPostgres } = await import("./postgres.js");
  postgres = await startPostgres(file);
  console.log("done.");
  try {
    return await runServe({ ...options, database: postgres.url });
  } finally {
    await postgres.stop();
  }
}

process.exitCode = await start();
