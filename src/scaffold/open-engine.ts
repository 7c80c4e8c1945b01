import type { OriginRequest, OriginResponse } from "../server/index.ts";
import type { Engine } from "./engine/engine.ts";
import type { Guard } from "./engine/snapshot.ts";
import type { ServedSchema } from "./engine/table.ts";
import type { Viewer } from "./engine/viewer.ts";
import type { ResolvedScaffoldOptions } from "./options.ts";
import { openPostgres } from "./postgres/engine/open-postgres.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { catalogOf, type IsServed } from "./rest/catalog.ts";
import type { LiveSettings } from "./rest/live.ts";
import { read } from "./rest/read.ts";
import type { Target } from "./rest/target.ts";
import { openSqlite } from "./sqlite/engine/open-sqlite.ts";
import { importFunctions } from "./sqlite/functions-module.ts";
import { openReads } from "./sqlite/threads/open-reads.ts";

/** What answers GETs. */
export interface ReadAnswers {
  /** Answers a GET or HEAD. @throws Refusal, and what the database throws */
  answer(request: OriginRequest, target: Target, viewer: Viewer): Promise<OriginResponse>;
  close(): Promise<void>;
}

/** An engine, and how its reads run. */
export interface OpenEngine {
  readonly engine: Engine;
  /** @param guard - a snapshot as a viewer may see it */
  answers(settings: LiveSettings, guard: Guard): ReadAnswers;
}

/** What is told while an engine is open. */
export interface EngineEvents {
  /** A schema that comes later. Must not throw. */
  readonly onSchema: (schema: ServedSchema) => void;
}

async function openPostgresUrl(
  options: ResolvedScaffoldOptions,
  isServed: IsServed,
  { onSchema }: EngineEvents,
): Promise<OpenEngine> {
  const engine = await openPostgres({
    ...options,
    connect: options.path,
    hasRoles: options.tokens?.hasRoles ?? false,
    isServed,
    onSchema,
  });
  return {
    engine,
    answers: (settings, guard) => ({
      answer: (request, target, viewer) =>
        engine.read((snapshot) => {
          const shown = guard(snapshot, viewer);
          return read(shown, catalogOf(shown.schema, isServed), request, target, settings);
        }, viewer),
      close: async () => undefined,
    }),
  };
}

async function openSqliteFile(
  options: ResolvedScaffoldOptions,
  isServed: IsServed,
  { onSchema }: EngineEvents,
): Promise<OpenEngine> {
  const { functionsModule } = options;
  // The functions of the module go to the main thread's connections, too.
  const functions = {
    ...(functionsModule === undefined ? {} : await importFunctions(functionsModule)),
    ...options.additions.functions,
  };
  const additions = { ...options.additions, functions };
  const engine = await openSqlite({ ...options, additions, isServed, onSchema });
  const { extensions = [] } = additions;
  return {
    engine,
    answers: (settings, guard) => openReads(engine, settings, { ...options, extensions, isServed, guard }),
  };
}

/** Opens the database that the options name. @throws RocketError where it can't be opened */
export function openEngine(
  options: ResolvedScaffoldOptions,
  isServed: IsServed,
  events: EngineEvents,
): Promise<OpenEngine> {
  const open = isPostgresUrl(options.path) ? openPostgresUrl : openSqliteFile;
  return open(options, isServed, events);
}
