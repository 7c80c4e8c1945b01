import { resolveUsersOptions, type UsersOptions } from "./users/options.ts";
import { openDirectory, type UserDirectory } from "./users/user-directory.ts";
import { openUserDatabase } from "./users-database.ts";

/**
 * Opens the users of a database, whether it is being served or not. Their tables are made where they are missing.
 *
 * @param database - a SQLite file, or the URL of one of PostgreSQL
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `driver-missing`
 */
export async function openUsers(database: string, options: UsersOptions = {}): Promise<UserDirectory> {
  const { passwordCost } = resolveUsersOptions(options, true);
  const opened = await openUserDatabase(database, () => undefined);
  try {
    return await openDirectory(opened, passwordCost);
  } catch (error) {
    await opened.close();
    throw error;
  }
}
