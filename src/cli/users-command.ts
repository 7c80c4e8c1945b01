import type { Command } from "commander";
import { parseClaims, parsePath } from "./parse.ts";
import type { UsersCommand } from "./users.ts";

const databaseText = "path of a SQLite database, or postgres://user@host/database";

/** Adds `rocket users`. */
export function addUsers(program: Command, exit: (code: number) => void): void {
  const users = program
    .command("users")
    .summary("list and change those who may sign in")
    .description(
      "Changes those who may sign in to a database that is served with --users. A server that runs notices within a second. " +
        "Passwords are asked for at the terminal, or are the first line of the input.",
    )
    .addHelpText("after", '\nExample:\n  rocket users add app.db ann@example.com --claims \'{"role":"editor"}\'');
  const run = async (database: string, action: UsersCommand["action"]): Promise<void> => {
    const { runUsers } = await import("./users.ts");
    exit(await runUsers({ database, action }));
  };
  const add = (name: string, description: string): Command =>
    users.command(name).description(description).argument("<database>", databaseText, parsePath);
  add("list", "Prints all users: id, email, claims.").action((database: string) => run(database, { name: "list" }));
  add("add", "Makes an account.")
    .argument("<email>", "the email to sign in with")
    .option("--claims <json>", "what is said of the user in tokens and to rules, as JSON", parseClaims)
    .action((database: string, email: string, options: { readonly claims?: Readonly<Record<string, unknown>> }) =>
      run(database, { name: "add", email, ...options }),
    );
  const changes = [
    ["disable", "Ends all sessions of a user, who can't sign in any more."],
    ["enable", "Lets a user sign in again."],
    ["password", "Gives a user another password, and ends all sessions."],
  ] as const;
  for (const [name, description] of changes) {
    add(name, description)
      .argument("<email>", "whose")
      .action((database: string, email: string) => run(database, { name, email }));
  }
  add("claims", "Says something else of a user from now on.")
    .argument("<email>", "whose")
    .argument("<json>", "all claims, as a JSON object", parseClaims)
    .action((database: string, email: string, claims: Readonly<Record<string, unknown>>) =>
      run(database, { name: "claims", email, claims }),
    );
}
