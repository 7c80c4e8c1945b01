import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { request } from "undici";

/** A request of a client that nobody here wrote. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Its answer, with names of fields in lower case, and the body as it came. */
export interface Answered {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A client of HTTP. */
export interface HttpPeer {
  readonly name: string;
  /** Why it can't be run here; empty where it can. */
  readonly missing: string;
  ask(url: string, asked?: Asked): Promise<Answered>;
}

const undici: HttpPeer = {
  name: "undici",
  missing: "",
  async ask(url, { method = "GET", ...asked } = {}) {
    const { statusCode, headers, body } = await request(url, { method, ...asked });
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
    return { status: statusCode, headers: new Map(fields), body: Buffer.from(await body.arrayBuffer()) };
  },
};

/** What a program prints, that is given `input`. @throws Error where it fails */
async function outputOf(program: string, flags: readonly string[], input: string): Promise<Buffer> {
  const child = spawn(program, flags);
  const parts: Buffer[] = [];
  let trouble = "";
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  child.stderr.on("data", (text: Buffer) => {
    trouble += text;
  });
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${trouble}`);
  return Buffer.concat(parts);
}

/** Why curl can't be run here; empty where it can. */
export const missingCurl: string = spawnSync("curl", ["--version"]).error === undefined ? "" : "there is no curl here";

const curl: HttpPeer = {
  name: "curl",
  missing: missingCurl,
  async ask(url, { method = "GET", headers = {}, body } = {}) {
    const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const verb = method === "HEAD" ? ["-I"] : ["-i", "-X", method];
    const data = body === undefined ? [] : ["--data-binary", "@-"];
    const output = await outputOf("curl", ["-sS", "--max-time", "20", ...verb, ...fields, ...data, url], body ?? "");
    const end = output.indexOf("\r\n\r\n");
    const [start = "", ...lines] = output.toString("latin1", 0, end).split("\r\n");
    const named = lines.map((line) => /^([^:]+): *(.*)$/.exec(line)?.slice(1) ?? []);
    return {
      status: Number(start.split(" ")[1]),
      headers: new Map(named.map(([name = "", value = ""]) => [name.toLowerCase(), value])),
      body: output.subarray(end + 4),
    };
  },
};

interface PythonAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const urllib: HttpPeer = {
  name: "Python's urllib",
  missing: spawnSync("python3", ["--version"]).error === undefined ? "" : "there is no python3 here",
  async ask(url, { method = "GET", headers = {}, body } = {}) {
    const script = fileURLToPath(new URL("ask.py", import.meta.url));
    const output = await outputOf("python3", [script], JSON.stringify({ url, method, headers, body }));
    const answer = JSON.parse(output.toString()) as PythonAnswer;
    return {
      status: answer.status,
      headers: new Map(answer.headers.map(([name, value]) => [name.toLowerCase(), value])),
      body: Buffer.from(answer.body, "base64"),
    };
  },
};

/** The clients of HTTP that are asked to read, write and guard what they write. */
export const httpPeers: readonly HttpPeer[] = [undici, curl, urllib];
