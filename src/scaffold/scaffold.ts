import { RocketError } from "../protocol/index.ts";
import type { DerivedOptions, Journal, Origin, Revocations } from "../server/index.ts";
import { noRevocations } from "../server/inner.ts";
import type { Engine } from "./engine/engine.ts";
import { toldTroubles } from "./engine/names.ts";
import { done } from "./engine/steps.ts";
import type { ServedSchema } from "./engine/table.ts";
import { everybody } from "./engine/viewer.ts";
import { openEngine } from "./open-engine.ts";
import { type ResolvedScaffoldOptions, resolveScaffoldOptions, type ScaffoldOptions } from "./options.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { troubleOf } from "./ready.ts";
import { canWrite } from "./rest/actions.ts";
import { type Catalog, catalogOf, type IsServed } from "./rest/catalog.ts";
import { refuse } from "./rest/failure.ts";
import { LeftOutReporter } from "./rest/left-out.ts";
import { Refusal } from "./rest/refusal.ts";
import { ownsTarget } from "./rest/route.ts";
import { isCall } from "./rest/rpc.ts";
import { Service, type ServiceOptions } from "./rest/service.ts";
import { RuleBook } from "./rules/rule-book.ts";
import { RuledEngine } from "./rules/ruled-engine.ts";
import { authorizedViewers } from "./tokens/authorized-viewers.ts";
import { type AppViewer, KnownViewers } from "./tokens/known-viewers.ts";
import { Verifier } from "./tokens/verifier.ts";
import { Viewers } from "./tokens/viewers.ts";
import { openSignIn, type SignIn } from "./users/sign-in.ts";
import { openUserDatabase } from "./users-database.ts";

type OnError = ServiceOptions["onError"];

/** A collection and how many records it has. */
export interface CollectionCount {
  /** The collection's path: `/artists`. */
  readonly path: string;
  /** 100,000 at most: to count all of a large table takes long. Absent where only viewers may read it. */
  readonly count?: number;
  /** There where it has more than that. */
  readonly hasMore?: true;
}

/** Up to so many records are counted. */
const maxCounted = 100_000;

/** A database as a REST service. @typeParam Viewer - what `authorize` says of who asks */
export interface Scaffold<Viewer extends object = AppViewer> {
  /** Answers requests. */
  readonly origin: Origin;
  /** Which rights have ended or become others, for the server, so that what is followed with them ends or is judged anew. */
  readonly revocations: Revocations;
  /**
   * Says that `authorize`, `rows` or a rule that is a function may say something else of viewers from now on: what they follow is judged anew, and begins with a
   * fresh 200 or ends with the refusal; nothing is shown until then. The server must have {@link Scaffold.revocations}.
   *
   * @param isMeant - tells by what `authorize` said last, or the token's claims, whether a viewer is meant. Default: all are. What it
   * throws means so, too
   */
  rightsChanged(isMeant?: (viewer: Viewer) => boolean): void;
  /** Where changes come from; absent where the file can't be written. */
  readonly journal?: Journal;
  /**
   * What clients may rely on beside the journal, for `/.well-known/rocket`: `idempotency-key` and `batch` where writes are
   * taken [R-WK-4].
   */
  readonly promises: readonly string[];
  /** How parts of collections are followed (`limit`, `offset`, and what is more than a GET answers): by asking again. */
  readonly derived: DerivedOptions;
  /** The path below which the collections are, for the server; empty where that is the root. */
  readonly basePath: string;
  /** Why nothing can be subscribed to; absent where it can. */
  readonly notLive?: string;
  /** Whether a URL is that of a collection, or below it, whatever is there: files beside the service stand back then. */
  owns(target: string): boolean;
  /** Whether a URL that it {@link owns} is a collection's or below it, for a page to show: what is neither can't be followed. */
  shows(target: string): boolean;
  /** What keeps it from doing its work, in a sentence for anybody; `undefined` where nothing does: for `/readyz`. */
  ready(): Promise<string | undefined>;
  /**
   * The collections, in the database's order, with how many records each has now, up to 100,000.
   *
   * @throws RocketError `database-busy` where another program keeps the database locked
   */
  collections(): Promise<CollectionCount[]>;
  /** Finishes what is being written, and closes the database. Twice is fine. */
  close(): Promise<void>;
  /**
   * Closes, and takes out what this scaffold's making added to a database that had nothing of Rocket's before: for a
   * start that fails later on. What another process uses by now stays. Nothing after `close`.
   */
  abandon(): Promise<void>;
}

function requireTables({ schema }: Engine, tables: readonly string[] | undefined, isServed: IsServed): void {
  const { resources, leftOut } = catalogOf(schema, isServed);
  for (const table of tables ?? []) {
    if (resources.has(table)) continue;
    const reason = leftOut.get(table);
    const known = schema.tables.map(({ name }) => name).join(", ");
    throw new TypeError(
      reason === undefined
        ? `tables names "${table}", which the database does not have; it has ${known}.`
        : `tables names "${table}", which is not served: ${reason}.`,
    );
  }
}

/** @throws RocketError `models-unfit` where the database has not what models name */
function requireModels({ troubles = [] }: ServedSchema): void {
  if (troubles.length > 0) throw new RocketError("models-unfit", toldTroubles(troubles).join("\n"));
}

function isServedBy({ tables, basePath }: ResolvedScaffoldOptions): IsServed {
  const isAsked = (table: string): boolean => tables === undefined || tables.includes(table);
  return Object.assign(isAsked, { basePath });
}

function reasonNotLive({ journal }: Engine, { actions }: ResolvedScaffoldOptions): string | undefined {
  if (!journal) return "The database can't be written, so it has no journal that a subscription could follow.";
  return actions.has("subscribe") ? undefined : "Subscriptions are switched off here.";
}

async function countAll(engine: Engine, { resources }: Catalog): Promise<CollectionCount[]> {
  const counts: CollectionCount[] = [];
  for (const { path, table } of resources.values()) {
    const count = await engine.count(table, maxCounted + 1);
    if (count === undefined) counts.push({ path });
    else counts.push(count > maxCounted ? { path, count: maxCounted, hasMore: true } : { path, count });
  }
  return counts;
}

/** @throws TypeError where a role that an option names can't be taken on */
async function requireRole(engine: Engine, option: string, role: string | undefined): Promise<void> {
  if (role === undefined) return;
  try {
    await engine.read(() => done(undefined), { ...everybody, role });
  } catch (error) {
    const isUnknown = error instanceof Refusal && error.problem.status === 401;
    if (!isUnknown && engine.troubleOf(error)?.status !== 403) throw error;
    const name = JSON.stringify(role);
    const reason = isUnknown ? "which the database does not have" : "which this connection's role may not take on";
    throw new TypeError(`${option} names ${name}, ${reason}.`, { cause: error });
  }
}

function viewerBy(
  { tokens, authorize, path, clock, reportError }: ResolvedScaffoldOptions,
  signIn: SignIn | undefined,
): ServiceOptions["viewerOf"] {
  if (authorize) return authorizedViewers(authorize);
  // Only PostgreSQL has settings in which its triggers and functions look for the request.
  if (!tokens) return isPostgresUrl(path) ? (request) => ({ ...everybody, request }) : () => everybody;
  const verifier = new Verifier(tokens, { clock, reportError });
  return new Viewers({ tokens, verifier, users: signIn?.sessions, clock }).of;
}

/** Which rights have ended, or become others. */
function revocationsBy(signIn: SignIn | undefined, { subscribeDoubts }: KnownViewers): Revocations {
  const { isRevoked, subscribe } = signIn?.revocations ?? noRevocations;
  return { isRevoked, subscribe, subscribeDoubts };
}

/** What people sign in by; `undefined` where nobody does. @throws RocketError where the database can't keep users */
async function openUsers(engine: Engine, resolved: ResolvedScaffoldOptions): Promise<SignIn | undefined> {
  const { users, path, basePath, clock, reportError } = resolved;
  if (!users) return undefined;
  if (!engine.canWrite) {
    throw new RocketError("journal-readonly", "The database can't be written, so nobody can sign in (users).");
  }
  const database = await openUserDatabase(path, (error) => reportError(error, "users"));
  try {
    return await openSignIn({ database, users, basePath, clock, reportError });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** As `openUsers`, once it is known that all is there that options name. Where it is not, nothing is left behind. */
async function openSignInOf(
  engine: Engine,
  resolved: ResolvedScaffoldOptions,
  requireAll: () => void,
): Promise<SignIn | undefined> {
  try {
    requireAll();
    await requireRole(engine, "tokens.anonymousRole", resolved.tokens?.anonymousRole);
    await requireRole(engine, "users.role", resolved.users?.role);
    return await openUsers(engine, resolved);
  } catch (error) {
    await engine.abandon();
    throw error;
  }
}

/** An origin with the URLs by which people sign in. */
function besideSignIn(origin: Origin, signIn: SignIn | undefined, engine: Engine, onError: OnError): Origin {
  if (!signIn) return origin;
  return async (request) => {
    if (!signIn.owns(request.target)) return origin(request);
    try {
      return await signIn.answer(request);
    } catch (error) {
      return refuse(error, request, undefined, engine, onError);
    }
  };
}

/**
 * Makes a database a REST service, live where it can be written: a SQLite file, or one of PostgreSQL by its URL.
 *
 * @throws TypeError | RangeError for an option that can't be; RocketError where the database can't be opened
 */
export async function createScaffold<Viewer extends object = AppViewer>(
  options: ScaffoldOptions<Viewer>,
): Promise<Scaffold<Viewer>> {
  // Whatever is a viewer's type: the two functions agree on it.
  const resolved = await resolveScaffoldOptions(options as unknown as ScaffoldOptions);
  const { rules, rows, authorize, tables, basePath, actions, maxRows, maxPageBytes, reportError } = resolved;
  const isServed = isServedBy(resolved);
  const leftOut = new LeftOutReporter(isServed, reportError);
  const book = rules || rows ? new RuleBook({ rules, rows, isAsked: isServed }) : undefined;
  const told = (schema: ServedSchema): void => leftOut.tell(book?.schemaOf(schema).all ?? schema);
  const opened = await openEngine(resolved, isServed, { onSchema: told });
  const engine = book ? new RuledEngine(opened.engine, book) : opened.engine;
  const signIn = await openSignInOf(engine, resolved, () => {
    requireModels(opened.engine.schema);
    book?.requireAll(opened.engine.schema);
    requireTables(engine, tables, isServed);
  });
  told(opened.engine.schema);
  const notLive = reasonNotLive(engine, resolved);
  const settings = { notLive, maxRows, maxPageBytes };
  const reads = opened.answers(settings, (snapshot, viewer) => book?.guard(snapshot, viewer) ?? snapshot);
  const viewers = new KnownViewers(viewerBy(resolved, signIn));
  const service = new Service({
    engine,
    viewerOf: viewers.of,
    answerRead: (request, target, viewer) => reads.answer(request, target, viewer),
    schema: resolved.schemas[0] ?? "public",
    ...{ isServed, actions, settings, hasRules: book !== undefined || authorize !== undefined },
    onError: reportError,
  });
  const isFunction = (target: string): boolean => isPostgresUrl(resolved.path) && isCall(target, isServed);
  const catalog = (): Catalog => catalogOf(engine.schema, isServed);
  let closing: Promise<void> | undefined;
  const closeReads = async (): Promise<void> => {
    await reads.close();
    await signIn?.close();
  };
  return {
    origin: besideSignIn(service.answer, signIn, engine, reportError),
    revocations: revocationsBy(signIn, viewers),
    rightsChanged: (isMeant = () => true) => viewers.doubt(isMeant as (viewer: AppViewer) => boolean),
    derived: {},
    ...(engine.journal ? { journal: engine.journal } : {}),
    ...(notLive === undefined ? {} : { notLive }),
    basePath,
    promises: engine.canWrite && canWrite(actions) ? ["idempotency-key", "batch"] : [],
    shows: (target) => ownsTarget(catalog(), target),
    owns: (target) => signIn?.owns(target) === true || ownsTarget(catalog(), target) || isFunction(target),
    ready: () => troubleOf(engine),
    collections: () => countAll(engine, catalog()),
    close() {
      closing ??= closeReads().then(() => engine.close());
      return closing;
    },
    abandon() {
      closing ??= closeReads().then(() => engine.abandon());
      return closing;
    },
  };
}
