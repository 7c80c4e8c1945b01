import { type Command, Option } from "commander";
import { parseNames } from "./parse.ts";

/** Adds what says which tokens count. */
export function addTokenFlags(command: Command): Command {
  const anonymous = new Option("--anonymous <what>", "what those without a token may do (default: none)");
  const users = new Option("--users [how]", "let people sign up and in by email and password; invite: nobody signs up");
  return command
    .addOption(users.choices(["invite"]))
    .option("--users-role <name>", "PostgreSQL: the role that users act as, unless their claims name one")
    .option("--token-env <name>", "ask for the one token in this variable, which all share who may come in")
    .addOption(anonymous.choices(["read", "none"]))
    .option("--jwt-secret-env <name>", "ask for JWTs signed with the secret in this variable (HS256, HS384, HS512)")
    .option("--jwks <url>", "ask for JWTs signed for the public keys at this URL (RS, PS, ES, EdDSA)")
    .option("--jwt-audience <list>", "whom JWTs are meant for (aud), one of these, separated by commas", parseNames)
    .option("--jwt-issuer <text>", "who makes the JWTs (iss)")
    .option("--jwt-role-claim <name>", "PostgreSQL: the claim that names the role to act as (default: role)")
    .option("--anonymous-role <name>", "PostgreSQL: the role of requests without a JWT (default: they are a 401)");
}
