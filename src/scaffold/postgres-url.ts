/** Whether a database's name is the URL of one of PostgreSQL: `postgres://user@host/database`. */
export function isPostgresUrl(database: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(database);
}
