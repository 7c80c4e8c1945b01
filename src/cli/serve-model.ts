import { isModelPath, isModelsPath, prepareModel } from "../scaffold/index.ts";
import { CommandFailure } from "./failure.ts";
import type { Output } from "./output.ts";
import type { ServeOptions } from "./serve-options.ts";

/** @throws CommandFailure where a model has no database, or what has one is no model */
export function checkModel({ database, model }: ServeOptions): void {
  const named = model ?? database;
  if (isModelsPath(named)) {
    const served = model === undefined ? "music.db" : database;
    const advice = `its tables are made by its own migrations (prisma migrate, drizzle-kit migrate), and served by: rocket serve ${served} --models ${named}`;
    throw new CommandFailure(`${JSON.stringify(named)} names what a database has: ${advice}`, 2);
  }
  if (model !== undefined && !isModelPath(model))
    throw new CommandFailure(`--database is for a model: ${JSON.stringify(model)} is no .xcdatamodeld.`, 2);
  if (model !== undefined || !isModelPath(database)) return;
  const advice = "--database says where its records are, as --database music.db.";
  throw new CommandFailure(`${JSON.stringify(database)} is a model: ${advice}`, 2);
}

/** Makes the tables of a model, where its database has none, and says what was made, or what differs. */
export async function makeModelTables({ model, database, schemas }: ServeOptions, output: Output): Promise<void> {
  if (model === undefined) return;
  const [schema] = schemas ?? [];
  const { made, differences, notes } = await prepareModel(model, database, schema === undefined ? {} : { schema });
  for (const note of notes) output.note(`rocket: Of the model: ${note}`);
  for (const difference of differences) output.note(`rocket: Not as in the model: ${difference}`);
  if (differences.length > 0) output.note("rocket: Nothing was altered: the database is served as it is.");
  if (made.length > 0) output.write(`Made the model's tables: ${made.join(", ")}\n`);
}
