import { openUsers } from "../scaffold/index.ts";
import { explain } from "./failure.ts";
import { processOutput } from "./output.ts";
import { readPassword } from "./read-password.ts";

type Users = Awaited<ReturnType<typeof openUsers>>;
type Claims = Readonly<Record<string, unknown>>;

/** What `rocket users` does, and in which database. */
export interface UsersCommand {
  /** The path of a SQLite database, or the URL of one of PostgreSQL. */
  readonly database: string;
  readonly action:
    | { readonly name: "list" }
    | { readonly name: "add"; readonly email: string; readonly claims?: Claims }
    | { readonly name: "disable" | "enable" | "password"; readonly email: string }
    | { readonly name: "claims"; readonly email: string; readonly claims: Claims };
}

function describeAll(users: Awaited<ReturnType<Users["list"]>>): string {
  const lines = users.map(({ id, email, claims, isDisabled }) => {
    const said = Object.keys(claims).length > 0 ? `  ${JSON.stringify(claims)}` : "";
    return `${id}  ${email}${isDisabled ? "  (disabled)" : ""}${said}\n`;
  });
  return lines.join("");
}

/** Carries it out. Gives what is said about it. */
async function run(users: Users, action: UsersCommand["action"]): Promise<string> {
  if (action.name === "list") return describeAll(await users.list());
  const { name, email } = action;
  if (name === "add") {
    const { id } = await users.add(email, await readPassword(), action.claims ?? {});
    return `Added ${email}, with the id ${id}.\n`;
  }
  if (name === "password") {
    await users.setPassword(email, await readPassword());
    return `Changed the password of ${email}. All sessions have ended.\n`;
  }
  if (name === "claims") {
    await users.setClaims(email, action.claims);
    return `Changed the claims of ${email}.\n`;
  }
  if (name === "disable") {
    await users.disable(email);
    return `Disabled ${email}. All sessions have ended.\n`;
  }
  await users.enable(email);
  return `Enabled ${email}.\n`;
}

/** Runs `rocket users`. Gives the exit code. */
export async function runUsers({ database, action }: UsersCommand): Promise<number> {
  let users: Users | undefined;
  try {
    users = await openUsers(database);
    processOutput.write(await run(users, action));
    return 0;
  } catch (error) {
    processOutput.note(`rocket: ${explain(error)}`);
    return 1;
  } finally {
    await users?.close();
  }
}
