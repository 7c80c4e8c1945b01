import { once } from "node:events";
import { createServer, get, type RequestListener } from "node:http";
import { Readable } from "node:stream";
import compression from "compression";
import express from "express";
import { describe, expect, it } from "vitest";
import type { AttachOptions } from "../../../src/node/index.ts";
import { fieldValue } from "../../../src/protocol/index.ts";
import { OpenStream } from "../stream.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

const kinds = ["text/event-stream", "application/http"];

async function start(app: RequestListener, options: AttachOptions = {}): Promise<Site> {
  const server = createServer(app);
  endAfterTest(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return attachTo(server, new Notes(), options);
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("A stream in the place of an application's answer", () => {
  it.each(kinds)(
    "goes on after more than is sent at once, though middleware compresses: %s [R-STR-16]",
    async (accept) => {
      const app = express();
      const notes = Array.from({ length: 3_000 }, (_, at) => ({
        id: at + 1,
        text: "a text of some length ".repeat(10),
      }));
      app.use(compression());
      app.get("/notes", (_request, response) => void response.json({ notes }));
      app.post("/notes", (_request, response) => {
        notes.push({ id: notes.length + 1, text: "new" });
        response.status(201).json(notes.at(-1));
      });
      const site = await start(app);
      const stream = await OpenStream.open(`${site.url}/notes`, accept, { "Accept-Encoding": "gzip" });
      expect((await stream.message(1)).status).toBe(304);
      await fetch(`${site.url}/notes`, { method: "POST" });
      const { status, fields } = await stream.message(2);
      expect([status, fieldValue(fields, "content-location")]).toEqual([201, "/notes#3001"]);
    },
  );

  it("has none of the fields that the application sets after its answer [R-STR-23]", async () => {
    const answered: (() => void)[] = [];
    const site = await start((_request, response) => {
      response.setHeader("Content-Type", "application/json");
      const [first] = answered;
      // What Rocket asks itself is answered after that.
      first?.();
      answered.push(() => void response.setHeader("X-Late", "1"));
      response.end('{"notes":[]}');
    });
    const stream = await OpenStream.open(`${site.url}/notes`, "text/event-stream");
    await stream.message(0);
    expect(answered.length).toBeGreaterThan(1);
    expect([stream.response.status, stream.response.headers.get("x-late")]).toEqual([200, null]);
  });

  it("lets others have turns while the application goes on with an answer without end, and holds it back [R-SEC-5]", async () => {
    let made = 0;
    const most = 2 ** 20;
    const site = await start((request, response) => {
      response.setHeader("Content-Type", "text/plain");
      if (request.url === "/alive") response.end("yes");
      else {
        const lines = function* () {
          for (; made < most; made += 1) yield "a line of what does not end\n".repeat(8);
        };
        Readable.from(lines()).pipe(response);
      }
    });
    const request = get(`${site.url}/export`, { headers: { Accept: "text/event-stream" }, agent: false });
    request.on("error", () => {});
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    // A document to follow has an end, and Rocket does not wait for this one's.
    expect(response.statusCode).toBe(413);
    for (let nth = 0; nth < 20; nth += 1) await turn();
    expect(await (await fetch(`${site.url}/alive`)).text()).toBe("yes");
    for (let nth = 0, before = -1; nth < 2_000 && before !== made; nth += 1) {
      before = made;
      await turn();
      await turn();
    }
    expect(made).toBeLessThan(most);
    response.destroy();
  });

  it("whose client goes before it begins leaves its place to the next [R-SEC-14]", async () => {
    let hold: Promise<void> = Promise.resolve();
    let asked = 0;
    const site = await start(
      async (_request, response) => {
        asked += 1;
        await hold;
        response.setHeader("Content-Type", "application/json");
        response.end('{"notes":[]}');
      },
      { limits: { maxConnectionsPerCredential: 1 } },
    );
    const headers = { Accept: "text/event-stream", Cookie: "sid=anna" };
    for (let nth = 0; nth < 3; nth += 1) {
      let release = (): void => {};
      hold = new Promise((resolve) => {
        release = resolve;
      });
      const before = asked;
      const request = get(`${site.url}/notes`, { headers, agent: false });
      request.on("error", () => {});
      while (asked === before) await turn();
      request.destroy();
      await new Promise((resolve) => request.once("close", resolve));
      // The server sees it go.
      for (let at = 0; at < 20; at += 1) await turn();
      release();
      for (let at = 0; at < 20; at += 1) await turn();
    }
    const stream = await OpenStream.open(`${site.url}/notes`, "text/event-stream", { Cookie: "sid=anna" });
    expect(stream.response.status).toBe(200);
  });
});
