import type { UsersOptions } from "../../../src/scaffold/index.ts";
import type { OriginRequest, OriginResponse } from "../../../src/server/index.ts";
import { bearer } from "../tokens/issuer.ts";
import { type EngineSql, type Service, serve, type TestOptions } from "./service.ts";

/** Where people sign in, by passwords whose hashes cost little. */
export const users = { signUp: true, passwordCost: 4 } as UsersOptions;

const notes: EngineSql = "CREATE TABLE notes (id integer PRIMARY KEY, text text)";

export const ann = { email: "ann@example.com", password: "correct horse" };

/** What somebody who signs in is given. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly user: { readonly id: string; readonly email: string; readonly claims: object };
}

/** A service where people sign in. */
export interface UsersService extends Service {
  signUp(credentials?: object): Promise<Tokens>;
  signIn(credentials?: object): Promise<Tokens>;
  /** The status of a GET with a token. */
  get(token: string): Promise<number>;
  refresh(token: string): Promise<{ readonly status: number; readonly json: Tokens }>;
}

/** Serves a table of notes to those who sign in. */
export async function serveUsers(options: TestOptions = {}): Promise<UsersService> {
  const service = await serve(notes, { users, ...options });
  const { send } = service;
  return {
    ...service,
    signUp: async (credentials = ann) => (await send("POST", "/auth/sign-up", credentials)).json as Tokens,
    signIn: async (credentials = ann) => (await send("POST", "/auth/sign-in", credentials)).json as Tokens,
    get: async (token) => (await send("GET", "/notes", undefined, bearer(token))).status,
    refresh: async (token) => {
      const { status, json } = await send("POST", "/auth/refresh", { refresh_token: token });
      return { status, json: json as Tokens };
    },
  };
}

/** A request as one of an address outside. */
export function from(remoteAddress: string, request: Partial<OriginRequest>): OriginRequest {
  const fields = [["Content-Type", "application/json"] as const, ...(request.fields ?? [])];
  return { method: "POST", target: "/auth/sign-in", body: "", ...request, fields, peer: { remoteAddress } };
}

/** The `Set-Cookie` of an answer. */
export function setCookie({ fields }: Pick<OriginResponse, "fields">): string | undefined {
  return fields.find(([name]) => name === "Set-Cookie")?.[1];
}

/** What a browser sends for an answer's `Set-Cookie`. */
export function cookieOf(answer: Pick<OriginResponse, "fields">): string {
  return setCookie(answer)?.split(";")[0] ?? "";
}
