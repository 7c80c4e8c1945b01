/** An error's SQLSTATE; `undefined` where PostgreSQL didn't send it. */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("severity" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether it is PostgreSQL's answer, and no loss of the connection, after which nobody knows what was done. */
export function isAnswer(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !/^(?:08|57P)/.test(state);
}

/** Whether the role may not do it. */
export function isDenied(error: unknown): boolean {
  return sqlStateOf(error) === "42501";
}

/** Whether a lock could not be had in time, or two waited for each other. */
export function isLockFailure(error: unknown): boolean {
  return ["55P03", "40P01"].includes(sqlStateOf(error) ?? "");
}

/** Whether it names a schema, table, column or function that is not there. */
export function isUndefined(error: unknown): boolean {
  return ["3F000", "42P01", "42703", "42883"].includes(sqlStateOf(error) ?? "");
}

/** Whether the server has ended a connection that nobody used for a while, as it was told to. */
export function isIdleTimeout(error: unknown): boolean {
  return sqlStateOf(error) === "57P05";
}

/** Whether it writes where nothing can be written: at a standby, which begins no transaction that may. */
export function isReadOnly(error: unknown): boolean {
  return ["25006", "0A000"].includes(sqlStateOf(error) ?? "");
}

/** Whether a schema, table or function of that name is there already. */
export function isNameTaken(error: unknown): boolean {
  return ["42P06", "42P07", "42723", "42710"].includes(sqlStateOf(error) ?? "");
}

/** Whether it asks for what PostgreSQL can't do: as to carry out a prepared statement whose columns are others by now. */
export function isFeatureLack(error: unknown): boolean {
  return sqlStateOf(error) === "0A000";
}
