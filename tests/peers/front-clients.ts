import { spawn } from "node:child_process";
import type { LookupFunction } from "node:net";
import { Agent, fetch as undiciFetch } from "undici";
import { onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { type Client, createClient } from "../../src/client/index.ts";
import { Conversation, type OpenOptions } from "./conversation.ts";
import { type Front, siteName } from "./fronts.ts";
import { wsPeer } from "./node-peers.ts";

/** Every name is this machine. */
const lookup: LookupFunction = (_name, { all }, callback) => {
  if (all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
};

/** What `ws` hands on to the TLS socket, with what its types leave out. */
function socketOptions({ ca, origin }: Pick<Front, "ca" | "origin">): ClientOptions {
  return { ca, origin, lookup } as ClientOptions;
}

/** `ws` as a page of the site, or of another one, would open a WebSocket. */
export function follow(
  front: Front,
  path: string,
  options: OpenOptions & { readonly origin?: string } = {},
): Conversation {
  const { origin = front.origin } = options;
  const peer = wsPeer(socketOptions({ ca: front.ca, origin }));
  return new Conversation(peer, front.origin.replace("https", "wss") + path, options);
}

/**
 * The platform's `fetch`, as a page of the site has it.
 *
 * @param watch - told of the fields of each request
 */
export function pageFetch(
  { ca, origin }: Front,
  watch: (headers: Headers) => void = () => {},
): typeof globalThis.fetch {
  const dispatcher = new Agent({ connect: { ca, lookup } });
  onTestFinished(() => dispatcher.destroy());
  return (async (input: string | URL, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("Origin", origin);
    watch(headers);
    return undiciFetch(input, { ...(init as object), headers: [...headers], dispatcher });
  }) as never;
}

/** The project's own client, as a page of the site has it. It goes with the test. */
export function pageClient(
  front: Front,
  { fetch = pageFetch(front) }: { fetch?: typeof globalThis.fetch } = {},
): Client {
  class PageWebSocket extends WebSocket {
    constructor(url: string, protocols: string[] = []) {
      super(url, protocols, socketOptions(front));
    }
  }
  const client = createClient(`${front.origin}/api`, { fetch, WebSocket: PageWebSocket as never });
  onTestFinished(() => client.close());
  return client;
}

/** What curl prints. @throws Error with what it says where it fails */
export async function curl(
  { port, caFile, origin }: Front,
  path: string,
  ...flags: readonly string[]
): Promise<string> {
  const site = ["--resolve", `${siteName}:${port}:127.0.0.1`, "--cacert", caFile, "--noproxy", "*"];
  const child = spawn("curl", ["-sS", "--max-time", "20", ...site, ...flags, origin + path]);
  let output = "";
  let trouble = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    trouble += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`curl ended with ${code}: ${trouble}`);
  return output;
}
