import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { isRocketRequest } from "../../../src/node/index.ts";
import { atEnd } from "./cleanup.ts";
import { fastifyApp } from "./frameworks/fastify.ts";
import { listenBeside } from "./listen-beside.ts";
import { Notes } from "./notes.ts";
import { requestText } from "./raw.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

type Write = (notes: Notes, request: IncomingMessage, response: ServerResponse) => void;

/** A server whose GETs show the notes, at any URL, and whose other requests do as told. */
async function start(write: Write): Promise<Site> {
  const notes = new Notes();
  const handler: RequestListener = (request, response) => {
    const { method = "", url: path = "", headers: fields } = request;
    notes.asked.push({ method, path, isRocket: isRocketRequest(request), fields });
    if (method !== "GET") write(notes, request, response);
    else response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(notes.list));
  };
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  endAfterTest(server);
  return attachTo(server, notes, { refreshMs: 86_400_000 });
}

const namings: readonly {
  readonly title: string;
  readonly write: Write;
  readonly headers?: Record<string, string>;
}[] = [
  {
    title: "Location by setHeader",
    write: (_notes, _request, response) => void response.setHeader("Location", "/notes").end(),
  },
  {
    title: "Location by writeHead",
    write: (_notes, _request, response) => void response.writeHead(303, { location: "/notes/7" }).end(),
  },
  {
    title: "Content-Location in writeHead's list",
    write: (_notes, _request, response) => void response.writeHead(200, "Fine", ["Content-Location", "/notes"]).end(),
  },
  {
    title: "an absolute Location",
    write: (_notes, request, response) =>
      void response.writeHead(201, { Location: `http://${request.headers.host}/notes/7` }).end(),
  },
  {
    title: "Destination",
    write: (_notes, _request, response) => void response.writeHead(201).end(),
    headers: { Destination: "/notes/8" },
  },
  {
    title: "Link with the relation invalidates",
    write: (_notes, _request, response) =>
      void response.setHeader("Link", ["</other>; rel=next", '</notes>; rel="invalidates"']).end(),
  },
];

describe("a write elsewhere", () => {
  it.each(namings)("is noticed by its $title [R-DER-4]", async ({ write, headers }) => {
    const site = await start((notes, request, response) => {
      notes.add("two");
      write(notes, request, response);
    });
    const follower = await site.follow("/notes").ready();
    await site.send("POST", "/elsewhere", undefined, headers);
    await follower.rows(site.notes.list);
    expect(site.notes.list).toHaveLength(2);
  });
});

describe("a write", () => {
  it("is noticed where the client goes before it is committed, and no answer is ever sent [R-DER-4]", async () => {
    const committed: (() => void)[] = [];
    const site = await start((notes, _request, response) => {
      response.on("close", () => {
        notes.add("two");
        committed.push(() => response.end());
      });
    });
    const follower = await site.follow("/notes").ready();
    const socket = connect((site.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(requestText("POST /notes"), () => socket.destroy());
    await follower.rows([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
    expect(committed).toHaveLength(1);
  });

  it("is noticed where the application ends its answer long after the client has gone", async () => {
    const held: ServerResponse[] = [];
    const site = await start((_notes, _request, response) => void held.push(response));
    const follower = await site.follow("/notes").ready();
    const socket = connect((site.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(requestText("POST /notes"));
    while (held.length === 0) await site.send("GET", "/");
    const gone = once(held[0] as ServerResponse, "close");
    socket.destroy();
    await gone;
    // The opening, the look at the close, and the two that Rocket takes a little later by itself.
    while (site.notes.asked.filter(({ isRocket }) => isRocket).length < 4) await site.send("GET", "/");
    site.notes.add("two");
    held[0]?.end();
    await follower.rows(site.notes.list);
    expect(site.notes.list).toHaveLength(2);
  });

  it("is noticed while a slow client still reads the answer", async () => {
    const large = Buffer.alloc(32 * 1024 * 1024, 32);
    const site = await start((notes, _request, response) => {
      notes.add("two");
      response.end(large);
    });
    const follower = await site.follow("/notes").ready();
    const socket = connect((site.server.address() as AddressInfo).port, "127.0.0.1");
    atEnd(() => socket.destroy());
    socket.pause();
    socket.write(requestText("POST /notes"));
    await follower.rows([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
    expect(socket.bytesRead).toBeLessThan(large.length);
  });

  it("is noticed where the application commits after its answer", async () => {
    const site = await start((notes, _request, response) => {
      response.end();
      setTimeout(() => notes.add("two"), 20);
    });
    const follower = await site.follow("/notes").ready();
    await site.send("POST", "/notes");
    await follower.rows([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
    expect(follower.replica.snapshots).toBe(1);
  });

  it("does not wait for a listener of the answer that throws, and answers as before", async () => {
    const site = await start((notes, _request, response) => {
      const { end } = response;
      // As middleware that wraps the answer's end does.
      response.end = ((...all: Parameters<typeof end>) => {
        notes.add("two");
        return end.apply(response, all);
      }) as typeof end;
      response.statusCode = 202;
      response.end("fine");
    });
    const follower = await site.follow("/notes").ready();
    const response = await site.send("POST", "/notes");
    expect([response.status, await response.text()]).toEqual([202, "fine"]);
    await follower.rows(site.notes.list);
  });
});

/** What an application does with a write before anybody follows, and where the client is by then. */
const beginnings: readonly {
  readonly title: string;
  readonly target: string;
  readonly write: (response: ServerResponse) => void;
  readonly isGone?: boolean;
}[] = [
  { title: "nothing yet", target: "/notes", write: () => {} },
  {
    title: "it sent a head that names what it writes",
    target: "/elsewhere",
    write: (response) => response.writeHead(201, { Location: "/notes/2" }).flushHeaders(),
  },
  { title: "nothing yet, and its client has gone", target: "/notes", write: () => {}, isGone: true },
];

describe("a write that began before anybody followed", () => {
  it.each(beginnings)("is told to those who do when it ends: $title [R-DER-3]", async ({ target, write, isGone }) => {
    const held: ServerResponse[] = [];
    const site = await start((_notes, _request, response) => {
      held.push(response);
      write(response);
    });
    const socket = connect((site.server.address() as AddressInfo).port, "127.0.0.1");
    atEnd(() => socket.destroy());
    socket.write(requestText(`POST ${target}`));
    while (held.length === 0) await site.send("GET", "/");
    const response = held[0] as ServerResponse;
    if (isGone) {
      const gone = once(response, "close");
      socket.destroy();
      await gone;
    }
    const follower = await site.follow("/notes").ready();
    site.notes.add("two");
    response.end();
    await follower.rows([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
    expect(follower.replica.snapshots).toBe(1);
  });

  it("is told by its own URL, where a router has changed that of the request", async () => {
    const held: (() => void)[] = [];
    const site = await start((notes, request, response) => {
      request.url = "/routed";
      held.push(() => {
        notes.add("two");
        response.end();
      });
    });
    const written = site.send("POST", "/notes");
    while (held.length === 0) await site.send("GET", "/");
    const follower = await site.follow("/notes").ready();
    held[0]?.();
    await written;
    await follower.rows(site.notes.list);
    expect(site.notes.list).toHaveLength(2);
  });
});

describe("a second server of the same application, on the same port of another address", () => {
  it("is seen to write", async () => {
    const site = await start((_notes, _request, response) => void response.end());
    const second = createServer((_request, response) => {
      site.notes.add("two");
      response.end();
    });
    endAfterTest(second);
    const host = await listenBeside(second, site.port);
    const follower = await site.follow("/notes").ready();
    await fetch(`http://${host}:${site.port}/notes`, { method: "POST" });
    await follower.rows([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
    expect(follower.replica.snapshots).toBe(1);
  });
});

describe("Fastify on localhost", () => {
  it("is live on both of its servers", async () => {
    const notes = new Notes();
    const app = fastifyApp(notes);
    atEnd(() => app.close());
    const site = attachTo(app.server, notes);
    await app.listen({ port: 0, host: "localhost" });
    const { port } = app.server.address() as AddressInfo;
    const hosts = (app.addresses() as AddressInfo[]).map(({ address, family }) => {
      return family === "IPv6" ? `[${address}]` : address;
    });
    const follower = await site.follow("/api/notes").ready();
    for (const host of hosts) {
      const headers = { "Content-Type": "application/json" };
      await fetch(`http://${host}:${port}/api/notes`, { method: "POST", headers, body: '{"text":"new"}' });
      await follower.rows(notes.list);
    }
    expect(notes.list).toHaveLength(1 + hosts.length);
  });
});
