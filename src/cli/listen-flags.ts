import { type Command, Option } from "commander";
import { parseBasePath, parsePath, parsePort } from "./parse.ts";

/** An option that the environment can give, too, as platforms set it; an empty variable gives nothing. */
function fromEnvironment(option: Option, variable: string): Option {
  return process.env[variable] ? option.env(variable) : option;
}

/** Adds what says where a command listens. */
export function addListenFlags(command: Command): Command {
  const port = new Option("--port <port>", "port to listen on; 0 picks a free one (default: PORT, else 8080)");
  const host = new Option("--host <host>", "address to listen on (default: HOST, else 127.0.0.1)");
  return command
    .addOption(fromEnvironment(port.argParser(parsePort), "PORT"))
    .addOption(fromEnvironment(host, "HOST"))
    .option("--tls-cert <file>", "speak https with this certificate, in PEM, and HTTP/2; needs --tls-key", parsePath)
    .option("--tls-key <file>", "the key of the certificate, in PEM", parsePath)
    .option("--base-path <path>", "the path below which clients see all this, as /api (default: /)", parseBasePath);
}
