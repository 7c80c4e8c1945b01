import { type Command, InvalidArgumentError } from "commander";
import type { WritePlan } from "../check/index.ts";
import type { CheckOptions } from "./check.ts";
import { parseBasePath, parseCount, parseHeader, parseLevel, parseNames, parsePort, parseTarget } from "./parse.ts";

interface CheckFlags extends Omit<CheckOptions, "url" | "write" | "level"> {
  readonly level?: 0 | 1;
  readonly stream?: boolean;
  readonly write?: WritePlan | true;
  readonly client?: boolean;
  readonly port?: number;
}

function isJson(text: string): boolean {
  try {
    return text === "" || typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** `POST /notes {"text":"{random}"}`. */
function parseWrite(text: string): WritePlan {
  const [, method, target, body = ""] = /^([A-Z]+) (\/[^\s#]*)(?: (.*))?$/s.exec(text) ?? [];
  if (method === undefined || target === undefined || !isJson(body)) {
    throw new InvalidArgumentError(`Give method, path and a JSON body, as in 'POST /notes {"text":"{random}"}'.`);
  }
  return { method, target, body };
}

function parseUrl(text: string): string {
  return parseTarget(text).replace(/^ws/, "http");
}

/** Adds `rocket check` to the program. */
export function addCheck(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("check")
    .summary("check any server or client against the protocol")
    .usage("<url> | --client")
    .description(
      "Plays cases against a Rocket server in any language, and says for each requirement of PROTOCOL.md that can be seen " +
        "from outside whether it is kept. With --client it is a server, which plays situations to a client in any " +
        "language. Ends with 1 where a MUST is broken.",
    )
    .argument("[url]", "a resource, best a collection with a record or more", parseUrl)
    .option("--level <level>", "only the cases of Level 0 or 1 (default: both)", parseLevel)
    .option("--stream", "only the cases of streams over plain HTTP; with --client, there are no WebSockets")
    .option(
      "--write [request]",
      "make, change and delete records; or send 'METHOD /path body' for a change",
      parseWrite,
    )
    .option("--header <field>", "send 'Name: value' with every request; may be repeated", parseHeader)
    .option("--base-path <path>", "the path below which clients see the server, as /api (default: /)", parseBasePath)
    .option("--only <ids>", "only the cases of these requirements, separated by commas", parseNames)
    .option("--quick", "leave out the cases that wait for a heartbeat")
    .option("--timeout <seconds>", "how long an answer may take (default: 5)", parseCount)
    .option("--client", "check a client instead")
    .option("--port <port>", "with --client: port to listen on; 0 picks a free one (default: 8080)", parsePort)
    .option("--json", "print the report as JSON")
    .addHelpText("after", "\nExample:\n  rocket check http://127.0.0.1:8080/artists --write")
    .action(
      async (url: string | undefined, { write, client = false, port, stream = false, level, ...flags }: CheckFlags) => {
        if (client === (url !== undefined)) command.error("error: give the URL of a server, or --client");
        if (stream && level !== undefined) command.error("error: give --level, or --stream");
        if (url === undefined) {
          const { runCheckClient } = await import("./check-client.ts");
          const { json = false } = flags;
          exit(await runCheckClient({ ...(port === undefined ? {} : { port }), json, withoutSockets: stream }));
          return;
        }
        const { runCheck } = await import("./check.ts");
        const plan = write === true ? "default" : write;
        const chosen: Pick<CheckOptions, "level"> = stream ? { level: "stream" } : level === undefined ? {} : { level };
        exit(await runCheck({ url, ...flags, ...chosen, ...(plan === undefined ? {} : { write: plan }) }));
      },
    );
}
