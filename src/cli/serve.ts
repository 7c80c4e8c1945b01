import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type TlsCertificate } from "../node/index.ts";
import { RocketError } from "../protocol/index.ts";
import { createScaffold, detach, isPostgresUrl } from "../scaffold/index.ts";
import { CommandFailure, explain } from "./failure.ts";
import { listen } from "./listen.ts";
import { type Output, onOutputClosed, processOutput } from "./output.ts";
import { checkModel, makeModelTables } from "./serve-model.ts";
import { checkHost, checkPublicFolder, type ServeOptions, showsPage } from "./serve-options.ts";
import { describeRules, rulesFailure, rulesFile } from "./serve-rules.ts";
import {
  databaseName,
  describeAdditions,
  describeFirstSteps,
  describeSignIn,
  listCollections,
  shownDatabase,
  sqlCommand,
  sqliteWarning,
} from "./serve-text.ts";
import { asksForTokens, optionsInFlags, readTokens, readUsers } from "./serve-tokens.ts";
import { onStopSignal } from "./signals.ts";
import { onCertificateSignal, readTlsFiles } from "./tls-files.ts";
import { sqliteVersion } from "./version.ts";

type Scaffold = Awaited<ReturnType<typeof createScaffold>>;
type Server = ReturnType<typeof createServer>;

/** The members of `options` that were given. */
function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Options]: Exclude<Options[Name], undefined> };
}

/** What lies in the public folder under the name of a collection, and so is never seen. */
function hiddenNames({ publicFolder }: ServeOptions, scaffold: Scaffold): string[] {
  const names = publicFolder === undefined ? [] : readdirSync(publicFolder);
  return names.filter((name) => scaffold.owns(`${scaffold.basePath}/${encodeURIComponent(name)}`));
}

/** One run of the command, until it is asked to stop or can't go on. */
interface Run {
  readonly options: ServeOptions;
  readonly output: Output;
  /** Absent: plain HTTP. */
  readonly tls: TlsCertificate | undefined;
  /** Its reason is why, where that is a failure. */
  readonly stop: AbortController;
  /** Whether it has come so far as to take requests. */
  isServing: boolean;
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
}

const detached =
  "Rocket's journal was removed from the database, so this server stops. Starting it again puts it back.";

function startRun(options: ServeOptions, output: Output): Run {
  const stop = new AbortController();
  const onError: Run["onError"] = (error, { stage }) => {
    if (error instanceof RocketError && error.code === "journal-detached") stop.abort(new CommandFailure(detached));
    else if (error instanceof RocketError) output.note(`rocket: ${explain(error)}`);
    // A database that is stopped at the same time, as by one Ctrl-C, ends what it is not needed for any more.
    else if (!(stop.signal.aborted && stage === "connection")) output.note(`rocket: ${stage}: ${explain(error)}`);
  };
  return { options, output, tls: readTlsFiles(options), stop, isServing: false, onError };
}

async function openScaffold({ options, onError }: Run): Promise<Scaffold> {
  const { database, tables, only, except, readOnly, create, extensions, functionsModule, basePath } = options;
  const { readTimeoutMs, readThreads, schemas, models } = options;
  const access = given({ tables, only, except, readOnly, create, basePath });
  const viewers = given({ tokens: readTokens(options), users: readUsers(options), rules: rulesFile(options) });
  const more = given({ extensions, functionsModule, readTimeoutMs, readThreads, schemas, models });
  try {
    return await createScaffold({ path: database, ...access, ...more, ...viewers, onError });
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith("tables names"))
      throw new CommandFailure(`--${error.message}`, 1, { cause: error });
    if (error instanceof RocketError && error.message.startsWith("functionsModule: "))
      throw new CommandFailure(error.message.replace("functionsModule", "--functions"), 1, { cause: error });
    const isOption = error instanceof TypeError || error instanceof RangeError;
    const named = isOption ? (rulesFailure(error) ?? optionsInFlags(error, options)) : undefined;
    throw named ?? error;
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof RocketError && (error.code === "database-busy" || error.code === "journal-busy");
}

function stayedLocked(database: string): string {
  if (isPostgresUrl(database)) {
    return `${JSON.stringify(shownDatabase(database))} could not be used: others keep its journal locked, or it went away. Try again.`;
  }
  return `${JSON.stringify(database)} stayed locked by another program for 5 seconds: end its transaction, and try again.`;
}

/** Undoes a start that failed. What that fails of is a note: why the start failed matters more. */
async function abandon(scaffold: Scaffold, { onError }: Run): Promise<void> {
  try {
    await scaffold.abandon();
  } catch (error) {
    onError(error, { stage: "undo" });
  }
}

function makeServer(scaffold: Scaffold, { options, output, tls, onError }: Run): Server {
  const { origin, journal, revocations, promises, owns, shows, derived, basePath, ready } = scaffold;
  const { allowOrigins, allowHosts, publicFolder, maxBodyBytes } = options;
  // Some of the largest bodies must find room at the same time.
  const limits = maxBodyBytes === undefined ? {} : { maxHeldBytes: Math.max(64 * 1024 * 1024, maxBodyBytes * 4) };
  return createServer({
    ...{ origin, promises, owns, shows, derived, basePath, ready },
    ...given({ tls, journal, revocations, allowOrigins, allowHosts, publicFolder, maxBodyBytes }),
    limits,
    page: showsPage(options) ? "inspector" : "line",
    pageFacts: {
      name: databaseName(options.database),
      shell: sqlCommand(options.database),
      command: options.commandHint ?? "npx rocket",
      hasAccounts: options.users !== undefined,
      tellsState: !asksForTokens(options),
    },
    onError,
    log: (line) => output.note(`rocket: ${line}`),
  });
}

/** What is said once the server listens, by its URL. */
async function describe(scaffold: Scaffold, options: ServeOptions): Promise<(url: string) => string> {
  const { database, publicFolder, commandHint, users } = options;
  const rules = describeRules(options);
  const additions = scaffold.journal ? describeAdditions(database, commandHint) : scaffold.notLive;
  const collections = await scaffold.collections();
  const isEmpty = collections.length === 0;
  const signIn = { signUp: users !== "invite", anonymous: options.anonymous === "read" };
  const text = (url: string): string[] => [
    `Serving ${shownDatabase(database)} at ${url}`,
    listCollections(collections),
    ...(isEmpty ? [describeFirstSteps(database, url, commandHint)] : []),
    ...(rules === undefined ? [] : [rules]),
    ...(users === undefined ? [] : [describeSignIn(database, url, signIn, commandHint)]),
    ...(publicFolder === undefined ? [] : [`Beside them: the files of ${publicFolder}`]),
    ...(additions === undefined ? [] : [additions]),
  ];
  return (url) => text(url).join("\n\n");
}

/** Serves until `stop`. Whatever throws on the way, nothing listens any more afterwards. */
async function serveUntilStopped(scaffold: Scaffold, run: Run): Promise<void> {
  const { options, output, stop } = run;
  const forget = [onStopSignal(() => stop.abort())];
  let server: Server | undefined;
  try {
    const describeAt = await describe(scaffold, options);
    const hidden = hiddenNames(options, scaffold);
    server = makeServer(scaffold, run);
    forget.push(onCertificateSignal(server, options, output.note));
    const url = (await listen(server, options)) + scaffold.basePath;
    run.isServing = true;
    output.write(`${describeAt(url)}\n`);
    for (const name of hidden) {
      output.note(
        `rocket: ${scaffold.basePath}/${name} is a table's; what ${options.publicFolder} has under that name is hidden by it.`,
      );
    }
    options.onListening?.(url);
    if (!stop.signal.aborted) await once(stop.signal, "abort");
    const failure: unknown = stop.signal.reason;
    if (failure instanceof CommandFailure) throw failure;
    output.note("Stopping: every connection is told to come back later. Asked again, it stops at once.");
  } finally {
    await server?.close();
    for (const one of forget) one();
  }
}

/**
 * Runs `rocket serve`: serves a SQLite database until the process is asked to stop.
 *
 * @returns the exit code: 0 after a graceful stop, 1 after a failure, 2 where options contradict each other
 */
export async function runServe(options: ServeOptions): Promise<number> {
  const output = processOutput;
  // A server goes on when nobody reads its log any more.
  onOutputClosed(() => {});
  try {
    if (options.detach) {
      await detach(options.database);
      const shown = shownDatabase(options.database);
      output.write(
        `Removed what Rocket had added to ${shown}, but for the accounts of --users, where there are any. If a server runs on it, that stops.\n`,
      );
      return 0;
    }
    checkModel(options);
    checkHost(options);
    checkPublicFolder(options);
    const warning = isPostgresUrl(options.database) ? undefined : sqliteWarning(sqliteVersion());
    if (warning !== undefined) output.note(warning);
    await makeModelTables(options, output);
    const run = startRun(options, output);
    const scaffold = await openScaffold(run);
    try {
      await serveUntilStopped(scaffold, run);
    } finally {
      await (run.isServing ? scaffold.close() : abandon(scaffold, run));
    }
    return 0;
  } catch (error) {
    output.note(`rocket: ${isLocked(error) ? stayedLocked(options.database) : explain(error)}`);
    return error instanceof CommandFailure ? error.exitCode : 1;
  }
}
