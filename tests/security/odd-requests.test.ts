import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attach, createServer as createRocket } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createMemoryStore } from "../../src/testing/index.ts";
import { kinds, oddFields, startLines } from "./odd-requests.ts";

/** What would have ended the process. */
const uncaught: unknown[] = [];
const note = (error: unknown): void => {
  uncaught.push(error);
};
const closers: (() => unknown)[] = [];
/** What errors were reported as being Rocket's own. */
const reported: string[] = [];
const onError = (error: unknown, { stage }: { readonly stage: string }): void => {
  reported.push(`${stage}: ${error instanceof Error ? error.message : String(error)}`);
};

interface Host {
  readonly title: string;
  /** Begins to listen; gives the port. */
  start(): Promise<number>;
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      closers.push(() => {
        server.closeAllConnections();
        server.close();
      });
      resolve((server.address() as { readonly port: number }).port);
    });
  });
}

/** An application that gives every request an answer, whatever it is. */
function application(): Server {
  return createServer((request, response) => {
    request.resume();
    response.setHeader("Content-Type", "application/json");
    response.end('{"a":[]}');
  });
}

const hosts: readonly Host[] = [
  {
    title: "serve",
    async start() {
      const { origin, journal } = createMemoryStore({ collections: ["a"], segment: "m" });
      const rocket = createRocket({ origin, journal, derived: {}, drainMs: 0, onError });
      closers.push(() => rocket.close());
      return (await rocket.listen(0)).port;
    },
  },
  {
    title: "attach",
    async start() {
      const server = application();
      const port = await portOf(server);
      const attachment = attach(server, {
        onError: (error, context) => context.stage !== "access" && onError(error, context),
      });
      closers.push(() => attachment.close());
      return port;
    },
  },
  {
    title: "proxy",
    async start() {
      const port = await portOf(application());
      const rocket = createProxy({ upstream: `http://127.0.0.1:${port}`, drainMs: 0, onError });
      closers.push(() => rocket.close());
      return (await rocket.listen(0)).port;
    },
  },
];

/** Sends bytes; resolves with what came once that is the head of a final answer, or the connection has ended. */
function send(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    let got = "";
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (data: string) => {
      got += data;
      if (/(?:^|\n)HTTP\/1\.1 (?:101|[2-5]\d\d) [\s\S]*\r\n\r\n/.test(got)) socket.destroy();
    });
    socket.on("close", () => resolve(got));
    socket.on("end", () => socket.end());
  });
}

function requestText(port: number, start: string, fields: readonly string[], body = ""): string {
  return [start.replace("{host}", `127.0.0.1:${port}`), `Host: 127.0.0.1:${port}`, ...fields, "", body].join("\r\n");
}

/** The status of a good request's answer. */
async function statusOfGood(port: number): Promise<string> {
  return (await send(port, requestText(port, "GET /a HTTP/1.1", []))).slice(0, 12);
}

const answerOrClose = /^(?:HTTP\/1\.1 100 [\s\S]*)?(?:HTTP\/1\.1 (?:101|[2-5]\d\d) [\s\S]*)?$/;

describe.each(hosts)("$title", ({ start }) => {
  let port = 0;
  beforeAll(async () => {
    process.on("uncaughtExceptionMonitor", note).on("unhandledRejection", note);
    port = await start();
  });
  afterAll(async () => {
    process.off("uncaughtExceptionMonitor", note).off("unhandledRejection", note);
    for (const close of closers.splice(0).reverse()) await close();
  });

  it.each(kinds)("lives on and answers after %s with odd fields [R-SEC-4]", async (_, { method, fields, body }) => {
    for (const [title, odd] of oddFields) {
      for (const end of [[], ["Connection: close"]]) {
        // What says that a body follows gets its end, so that nobody waits for it.
        const isUnended = body === "" && odd.some((line) => line.startsWith("Transfer-Encoding"));
        const text = requestText(
          port,
          `${method} /a HTTP/1.1`,
          [...fields, ...odd, ...end],
          isUnended ? "0\r\n\r\n" : body,
        );
        expect(await send(port, text), title).toMatch(answerOrClose);
      }
    }
    expect(await statusOfGood(port)).toBe("HTTP/1.1 200");
    expect({ uncaught, reported }).toEqual({ uncaught: [], reported: [] });
  });

  it.each(startLines)("lives on and answers after %j [R-SEC-4]", async (line) => {
    for (const [title, { fields, body }] of kinds) {
      expect(await send(port, requestText(port, line, fields, body)), title).toMatch(answerOrClose);
    }
    expect(await statusOfGood(port)).toBe("HTTP/1.1 200");
    expect({ uncaught, reported }).toEqual({ uncaught: [], reported: [] });
  });
});

describe("an application whose log throws", () => {
  const log = (): void => {
    throw new Error("The disk is full.");
  };

  it.each(["serve", "proxy"])("loses no more than the request that was logged: %s [R-SEC-4]", async (kind) => {
    const stages: string[] = [];
    const options = { log, drainMs: 0, onError: (_: unknown, { stage }: { stage: string }) => void stages.push(stage) };
    const { origin, journal } = createMemoryStore({ collections: ["a"], segment: "m" });
    const rocket =
      kind === "serve"
        ? createRocket({ ...options, origin, journal })
        : createProxy({ ...options, upstream: `http://127.0.0.1:${await portOf(application())}` });
    closers.push(() => rocket.close());
    const { port } = await rocket.listen(0);
    const [, upgrade] = kinds.find(([title]) => title === "rocket.v1") ?? [];
    const foreign = (fields: readonly string[]) =>
      ["GET /a HTTP/1.1", "Host: foreign.invalid", ...fields, "", ""].join("\r\n");
    expect(await send(port, foreign([]))).toMatch(/^HTTP\/1\.1 500 /);
    expect(await send(port, foreign(upgrade?.fields ?? []))).toBe("");
    expect(stages).toEqual(["http", "upgrade"]);
    expect(await statusOfGood(port)).toBe("HTTP/1.1 200");
    for (const close of closers.splice(0).reverse()) await close();
  });
});
