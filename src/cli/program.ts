import { Command, CommanderError, Option } from "commander";
import { addCheck } from "./check-command.ts";
import { addListenFlags } from "./listen-flags.ts";
import {
  parseActions,
  parseCount,
  parseEventId,
  parseHeader,
  parseHostName,
  parseLevel,
  parseMebibytes,
  parseNames,
  parseOrigin,
  parsePath,
  parsePaths,
  parseSeconds,
  parseTarget,
  parseThreads,
} from "./parse.ts";
import { addProxy } from "./proxy-command.ts";
import type { Action, ServeOptions } from "./serve-options.ts";
import type { TailOptions } from "./tail.ts";
import { addTokenFlags } from "./token-flags.ts";
import { addUsers } from "./users-command.ts";
import { packageVersion } from "./version.ts";

interface ServeFlags
  extends Omit<
    ServeOptions,
    | "database"
    | "allowOrigins"
    | "allowHosts"
    | "publicFolder"
    | "maxBodyBytes"
    | "extensions"
    | "functionsModule"
    | "readTimeoutMs"
    | "schemas"
  > {
  readonly database?: string;
  readonly schema?: readonly string[];
  readonly maxBody?: number;
  readonly public?: string;
  readonly loadExtension?: readonly string[];
  readonly functions?: string;
  readonly readTimeout?: number;
  readonly allowOrigin?: readonly string[];
  readonly allowHost?: readonly string[];
}

/** A model's own database is given by a flag. */
function databaseOf(named: string, database: string | undefined): Pick<ServeOptions, "database" | "model"> {
  return database === undefined ? { database: named } : { database, model: named };
}

interface SqlFlags {
  readonly schema?: readonly string[];
  readonly database?: string;
}

interface TailFlags extends Omit<TailOptions, "url" | "lastEventId"> {
  readonly lastEventId?: string;
}

function serveOptions(named: string, given: ServeFlags): ServeOptions {
  const { allowOrigin, allowHost, public: publicFolder, maxBody: maxBodyBytes, ...others } = given;
  const { loadExtension, functions, readTimeout: readTimeoutMs, schema: schemas, database, ...flags } = others;
  return {
    ...databaseOf(named, database),
    ...flags,
    ...(allowOrigin ? { allowOrigins: allowOrigin } : {}),
    ...(allowHost ? { allowHosts: allowHost } : {}),
    ...(publicFolder === undefined ? {} : { publicFolder }),
    ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
    ...(loadExtension ? { extensions: loadExtension } : {}),
    ...(functions === undefined ? {} : { functionsModule: functions }),
    ...(readTimeoutMs === undefined ? {} : { readTimeoutMs }),
    ...(schemas ? { schemas } : {}),
  };
}

function addServe(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("serve")
    .summary("serve a database as live REST")
    .description(
      "Serves each table of a SQLite or PostgreSQL database as a REST collection, and each of its URLs as a live stream " +
        "over WebSocket. Writes by any program are seen.",
    )
    .argument("<database>", "path of a SQLite database, postgres://user@host/database, or an .xcdatamodeld", parsePath);
  addTokenFlags(addListenFlags(command))
    .option(
      "--database <database>",
      "the database of an .xcdatamodeld, whose tables are made where it has none",
      parsePath,
    )
    .option("--tables <list>", "serve only these tables, separated by commas", parseNames)
    .option("--schema <list>", "PostgreSQL's schemas to serve, separated by commas (default: public)", parseNames)
    .option("--only <list>", "allow only these actions: create, read, update, destroy, subscribe", parseActions)
    .addOption(
      new Option("--except <list>", "allow all actions but these").argParser<Action[]>(parseActions).conflicts("only"),
    )
    .option("--read-only", "allow no writes over HTTP; the journal is added all the same, so that reads are live")
    .option("--allow-origin <origin>", "let pages of this web origin in; may be repeated", parseOrigin)
    .option("--allow-host <name>", "answer under this host name too; may be repeated", parseHostName)
    .option("--public <folder>", "serve the files of this folder beside the API: a built front end", parsePath)
    .option("--page", "show browsers the page that shows what is there (default: unless NODE_ENV is production)")
    .option("--no-page", "show them a line that says what this is")
    .option("--max-body <mib>", "MiB that the body of a write may have (default: 1)", parseMebibytes)
    .option("--rules <file>", "who may read and write which records (default: rocket.rules.json here, if there is one)")
    .option(
      "--models <path>",
      "a Prisma schema, or a module or folder with Drizzle's: its names are those in URLs and records",
      parsePath,
    )
    .option("--load-extension <file>", "load a SQLite extension that the database needs; may be repeated", parsePaths)
    .option("--functions <module>", "a JavaScript module whose exported functions the database needs", parsePath)
    .option("--read-timeout <seconds>", "seconds that a read may take; then it is a 503 (default: 5)", parseSeconds)
    .option("--read-threads <n>", "threads for reads that take long; 0: none (default: 2)", parseThreads)
    .option("--insecure", "allow writes without tokens by everyone who can reach a --host that is not loopback")
    .option("--create", "create the database if there is none, or an empty file")
    .option("--detach", "remove what Rocket added to the database, and exit")
    .addHelpText("after", "\nExample:\n  rocket serve music.db --port 3000 --except destroy")
    .action(async (database: string, flags: ServeFlags) => {
      const { runServe } = await import("./serve.ts");
      exit(await runServe(serveOptions(database, flags)));
    });
}

function addTail(program: Command, exit: (code: number) => void): void {
  program
    .command("tail")
    .summary("print a URL's changes as they come")
    .description(
      "Opens a WebSocket to a URL and prints each message as it comes, as curl -i would. Reconnects, and goes on where it was.",
    )
    .argument("<url>", "http:, https:, ws: or wss: URL", parseTarget)
    .option("--level <level>", "1: snapshot, changes, resume; 0: changes only (default: 1)", parseLevel)
    .option("--last-event-id <id>", "begin after the message with this Event-ID; * for no snapshot", parseEventId)
    .option("--header <field>", "send 'Name: value' in the handshake; may be repeated", parseHeader)
    .option("--count <n>", "end after n messages", parseCount)
    .addHelpText("after", "\nExample:\n  rocket tail 'http://127.0.0.1:8080/artists?genre=jazz' --count 10")
    .action(async (url: string, flags: TailFlags) => {
      const { runTail } = await import("./tail.ts");
      exit(await runTail({ url, ...flags }));
    });
}

function addMigrate(program: Command, exit: (code: number) => void): void {
  program
    .command("migrate")
    .summary("run migrations, or a command that changes a database's schema")
    .usage("<database> <folder> | <database> -- <command...>")
    .description(
      "Takes Rocket's triggers off a database, runs a command, and puts them back, also where the command failed. " +
        "SQLite's DROP COLUMN, for one, needs that. A server may be running: it goes on by itself, and everyone who " +
        "follows a table gets a fresh 200. PostgreSQL needs none of that: there the command is run, and no more. It finds " +
        "the database's path or URL in ROCKET_DATABASE; its exit code is the exit code. A folder of Prisma's or Drizzle's " +
        "migrations is run without them, each in one transaction, and noted in their own tables.",
    )
    .argument("<database>", "path of a SQLite database, or postgres://user@host/database", parsePath)
    .argument("<command...>", "the command and its arguments, after --; or a folder, as prisma/migrations")
    .addHelpText(
      "after",
      "\nExamples:\n  rocket migrate music.db prisma/migrations\n  rocket migrate music.db -- npx knex migrate:latest",
    )
    .action(async (database: string, command: readonly string[]) => {
      const { runMigrate } = await import("./migrate.ts");
      exit(await runMigrate({ database, command }));
    });
}

function addSql(program: Command, exit: (code: number) => void): void {
  program
    .command("sql")
    .summary("print the SQL for a PostgreSQL administrator, or a model's tables")
    .description(
      "Prints the SQL that makes Rocket's journal in a PostgreSQL database, puts its triggers on the tables, and lets the " +
        "role of the URL use it: for an administrator to run where that role may not. Of a Core Data model, it prints what " +
        "makes its tables. Changes nothing itself.",
    )
    .argument("<database>", "postgres://user@host/database, or an .xcdatamodeld", parsePath)
    .option("--database <database>", "the database of an .xcdatamodeld (default: one of SQLite)", parsePath)
    .option(
      "--schema <list>",
      "the schemas whose tables are to be watched, separated by commas (default: public)",
      parseNames,
    )
    .addHelpText("after", "\nExample:\n  rocket sql postgres://app@db.example.com/shop > rocket.sql")
    .action(async (named: string, { schema, database }: SqlFlags) => {
      const { runSql } = await import("./sql.ts");
      const more = {
        ...(database === undefined ? {} : { modelDatabase: database }),
        ...(schema ? { schemas: schema } : {}),
      };
      exit(await runSql({ database: named, ...more }));
    });
}

/** Exit codes: 0 for help that was asked for, else 2. */
function exitCodeOf(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : 2;
}

/**
 * Runs the command `rocket`.
 *
 * @param args - what follows the command's name
 * @returns the exit code: 0 success, 1 failure, 2 called wrongly; of `migrate`, its command's
 */
export async function main(args: readonly string[]): Promise<number> {
  const codes: number[] = [];
  const exit = (code: number): void => void codes.push(code);
  const program = new Command("rocket")
    .description("REST over WebSockets: open a WebSocket to any URL that you can GET, and each change arrives.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "print help")
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .showHelpAfterError("(--help lists what there is)")
    .exitOverride();
  addServe(program, exit);
  addProxy(program, exit);
  addTail(program, exit);
  addCheck(program, exit);
  addMigrate(program, exit);
  addSql(program, exit);
  addUsers(program, exit);
  program.addHelpText(
    "after",
    "\nExamples:\n  rocket serve music.db\n  rocket proxy http://localhost:3000\n  rocket tail http://127.0.0.1:8080/artists\n\nrocket help <command> says more about one.",
  );
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return exitCodeOf(error);
  }
  return codes[0] ?? 0;
}
