import { type Command, InvalidArgumentError, Option } from "commander";
import { addListenFlags } from "./listen-flags.ts";
import { parseHostName, parseOrigin } from "./parse.ts";
import type { ProxyCommandOptions } from "./proxy.ts";

interface ProxyFlags extends Omit<ProxyCommandOptions, "upstream" | "allowOrigins" | "allowHosts"> {
  readonly allowOrigin?: readonly string[];
  readonly allowHost?: readonly string[];
}

/** The API as `http://localhost:3000`; without a scheme it is `http:`, a port alone is one of this machine. */
function parseUpstream(text: string): string {
  const port = /^:?(\d{1,5})$/.exec(text)?.[1];
  const named = port === undefined ? text : `localhost:${port}`;
  const full = /^[a-z][a-z\d+.-]*:\/\//i.test(named) ? named : `http://${named}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('Give scheme, host and port only, as in "http://localhost:3000".');
  }
  return url.origin;
}

/** Where records are, by path, as JSON. Whether each entry can be right, the proxy says. */
function parseRecords(text: string): NonNullable<ProxyCommandOptions["records"]> {
  try {
    const records: unknown = JSON.parse(text);
    if (typeof records === "object" && records !== null && !Array.isArray(records)) {
      return records as NonNullable<ProxyCommandOptions["records"]>;
    }
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError(
    `Give a JSON object by path, as in '{"/posts":{"list":"/_embedded/posts","key":"id"}}'.`,
  );
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Give a whole number from 1 to 86400.");
}

/** Adds `rocket proxy` to the program. */
export function addProxy(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("proxy")
    .summary("make an API in any language live")
    .description(
      "Stands before an HTTP API and passes everything through. Each of its URLs that answers a GET can be followed over " +
        "a WebSocket. Writes through the proxy are seen at once, others when it looks again.",
    )
    .argument("<upstream>", "the API: http://localhost:3000, or a port of this machine", parseUpstream);
  addListenFlags(command)
    .option("--allow-origin <origin>", "let pages of this web origin in; may be repeated", parseOrigin)
    .option("--allow-host <name>", "answer under this host name too; may be repeated", parseHostName)
    .addOption(
      new Option(
        "--host-field <whose>",
        "send the upstream the client's Host (keep) or its own (default: its own if it is https)",
      ).choices(["keep", "upstream"]),
    )
    .option("--trust-forwarded", "believe Forwarded and X-Forwarded-* of the peer, which is another proxy")
    .option("--share-anonymous", "what is answered without credentials is the same for everybody")
    .option("--idempotency-keys", "the API does a write once that comes again with its Idempotency-Key")
    .option(
      "--records <json>",
      `where lists have their rows and these their link or key: '{"/posts":{"list":"/_embedded/posts","link":"/_links/self/href"}}'`,
      parseRecords,
    )
    .option("--page", "show a page at /.well-known/rocket/inspector (default: unless NODE_ENV is production)")
    .option("--no-page", "show none")
    .option("--refresh <seconds>", "look again after this time without a write (default: 60)", parseSeconds)
    .option("--timeout <seconds>", "how long the upstream may take to begin an answer (default: 120)", parseSeconds)
    .addHelpText("after", "\nExample:\n  rocket proxy http://localhost:3000 --port 8080")
    .action(async (upstream: string, { allowOrigin, allowHost, ...flags }: ProxyFlags) => {
      const { runProxy } = await import("./proxy.ts");
      const access = { ...(allowOrigin && { allowOrigins: allowOrigin }), ...(allowHost && { allowHosts: allowHost }) };
      exit(await runProxy({ upstream, ...flags, ...access }));
    });
}
