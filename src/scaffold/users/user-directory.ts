import { randomUUID } from "node:crypto";
import { RocketError } from "../../protocol/index.ts";
import { systemClock } from "../../server/index.ts";
import { reservedClaims } from "./access-tokens.ts";
import { type Email, readEmail } from "./email.ts";
import { Passwords, passwordTrouble } from "./passwords.ts";
import type { Account, User } from "./user.ts";
import type { UserDatabase } from "./user-database.ts";
import { type AccountChange, UserStore } from "./user-store.ts";

const maxClaimsBytes = 4_096;

/** Those who may sign in, for whoever keeps them. Servers notice within a second. */
export interface UserDirectory {
  /** All users, the first one first. */
  list(): Promise<User[]>;
  /**
   * Makes an account.
   *
   * @param claims - what is said of the user in tokens, as `{ role: "editor" }`. Default nothing
   * @throws RocketError `user-invalid` where the email has one, or something can't be
   */
  add(email: string, password: string, claims?: User["claims"]): Promise<User>;
  /** Ends all sessions of a user, who can't sign in any more. @throws RocketError `user-unknown` */
  disable(email: string): Promise<void>;
  /** Lets a user sign in again. @throws RocketError `user-unknown` */
  enable(email: string): Promise<void>;
  /** Gives a user another password, and ends all sessions. @throws RocketError `user-unknown`, `user-invalid` */
  setPassword(email: string, password: string): Promise<void>;
  /** Says something else of a user from now on. @throws RocketError `user-unknown`, `user-invalid` */
  setClaims(email: string, claims: User["claims"]): Promise<void>;
  /** Twice is fine. */
  close(): Promise<void>;
}

function invalid(message: string): RocketError {
  return new RocketError("user-invalid", message);
}

function requireEmail(text: string): Email {
  const email = readEmail(text);
  if (!email) throw invalid(`${JSON.stringify(text)} is no email address.`);
  return email;
}

function requirePassword(password: string): void {
  const trouble = passwordTrouble(password);
  if (trouble !== undefined) throw invalid(trouble);
}

function requireClaims(claims: unknown): void {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims))
    throw invalid("Claims are a JSON object.");
  const reserved = Object.keys(claims).find((name) => reservedClaims.has(name));
  if (reserved !== undefined) throw invalid(`The claim ${JSON.stringify(reserved)} is the token's own.`);
  if (Buffer.byteLength(JSON.stringify(claims)) > maxClaimsBytes) {
    throw invalid(`Claims may have ${maxClaimsBytes / 1024} KiB at most: they are in each token.`);
  }
}

function shown({ id, email, claims, createdAt, isDisabled }: Account): User {
  return { id, email, claims, createdAt, isDisabled };
}

/** Opens the users of a database, and makes the tables where they are missing. @throws RocketError */
export async function openDirectory(database: UserDatabase, passwordCost: number): Promise<UserDirectory> {
  const store = new UserStore(database);
  await store.prepare();
  const passwords = new Passwords(passwordCost);
  const find = async (email: string): Promise<Account> => {
    const account = await store.accountOf(requireEmail(email));
    if (!account) throw new RocketError("user-unknown", `There is no user ${JSON.stringify(email)}.`);
    return account;
  };
  const change = async (email: string, changes: AccountChange): Promise<void> => {
    const { id } = await find(email);
    await store.changeAccount(id, changes, systemClock.wallTime());
  };
  return {
    list: async () => (await store.accounts()).map(shown),
    async add(email, password, claims = {}) {
      const read = requireEmail(email);
      requirePassword(password);
      requireClaims(claims);
      const hash = await passwords.hash(password);
      const account = { id: randomUUID(), claims, password: hash, createdAt: systemClock.wallTime() };
      if (!(await store.addAccount(account, read))) throw invalid(`There is a user ${JSON.stringify(email)} already.`);
      return shown(await find(email));
    },
    disable: (email) => change(email, { isDisabled: true }),
    enable: (email) => change(email, { isDisabled: false }),
    async setPassword(email, password) {
      requirePassword(password);
      await find(email);
      await change(email, { password: await passwords.hash(password) });
    },
    async setClaims(email, claims) {
      requireClaims(claims);
      await change(email, { claims });
    },
    close: () => store.close(),
  };
}
