import { connect as connectHttp2, createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { TLSSocket } from "node:tls";
import express from "express";
import { describe, expect, it } from "vitest";
import { attach } from "../../../src/node/index.ts";
import { alice, bob, type Certificate, server as certificate } from "./certificates.ts";
import { atEnd } from "./cleanup.ts";
import { Follower } from "./follower.ts";
import { Notes } from "./notes.ts";
import { attachTo, type Site } from "./site.ts";

type Handler = ReturnType<typeof express>;

const wantCertificate = { ...certificate, requestCert: true, rejectUnauthorized: false };
const trust = { ca: certificate.cert };

/** Notes, and who asks as TLS tells. */
function app(notes: Notes): Handler {
  const application = express();
  application.use(express.json());
  application.get("/notes", (_request, response) => void response.json(notes.list));
  application.post("/notes", (request, response) => {
    const note = notes.add(request.body.text);
    response.writeHead(201, { Location: "/notes/1" }).end(JSON.stringify(note));
  });
  application.get("/me", (request, response) => {
    const socket = request.socket as TLSSocket;
    const { CN } = socket.getPeerCertificate().subject ?? {};
    response.json({ name: CN, isSecure: request.secure, address: request.ip, protocol: socket.getProtocol() });
  });
  return application;
}

const servers = [
  { name: "https", make: (handler: Handler): Server => createHttpsServer(wantCertificate, handler) },
  {
    name: "http2 with allowHTTP1",
    // Express does not speak HTTP/2's requests: those are answered here.
    make: (handler: Handler): Server =>
      createSecureServer({ ...wantCertificate, allowHTTP1: true }, (request, response) => {
        if (request.httpVersionMajor === 1) handler(request as never, response as never);
        else response.writeHead(201, { location: "/notes/7" }).end("{}");
      }),
  },
] as const;

async function start(make: (handler: Handler) => Server): Promise<{ site: Site; url: string }> {
  const notes = new Notes();
  const server = make(app(notes));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close());
  const site = attachTo(server, notes);
  return { site, url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function follow(url: string, identity?: Certificate): Promise<Follower> {
  return new Follower(url, { tls: { ...trust, ...identity } }).ready();
}

describe.each(servers)("a server of $name", ({ make }) => {
  it("is live, and shows the application a secure connection with the follower's address", async () => {
    const { site, url } = await start(make);
    const follower = await follow(`${url}/me`);
    const [me] = [...follower.replica.records.values()].map((text) => JSON.parse(text));
    expect(me).toEqual({ isSecure: true, address: "127.0.0.1", protocol: "TLSv1.3" });
    const notes = await follow(`${url}/notes`);
    site.notes.add("two");
    site.attachment.changed("/notes");
    await notes.rows(site.notes.list);
    expect(site.errors).toEqual([]);
  });

  it("tells followers apart by their certificates", async () => {
    const { url } = await start(make);
    const names = [];
    for (const identity of [alice, bob, undefined, alice]) {
      const follower = await follow(`${url}/me`, identity);
      names.push(JSON.parse([...follower.replica.records.values()][0] ?? "").name);
    }
    expect(names).toEqual(["alice", "bob", undefined, "alice"]);
  });

  it("ends with its followers when it is closed", async () => {
    const { site, url } = await start(make);
    const follower = await follow(`${url}/notes`);
    await new Promise((resolve) => site.server.close(resolve));
    expect(await follower.closed).toBe(1001);
  });
});

describe("a server of http2 with allowHTTP1", () => {
  it("notices what is written by HTTP/2", async () => {
    const { site, url } = await start(servers[1].make);
    const follower = await follow(`${url}/notes`);
    const session = connectHttp2(url.replace("wss:", "https:"), trust);
    atEnd(() => session.destroy());
    site.notes.add("two");
    session.request({ ":method": "POST", ":path": "/elsewhere" }).end("{}");
    await follower.rows(site.notes.list);
    expect(follower.replica.snapshots).toBe(1);
  });
});

describe("attach", () => {
  it("refuses servers that browsers can open no WebSocket to", () => {
    const needed = /allowHTTP1: true/;
    expect(() => attach(createHttp2Server())).toThrow(needed);
    expect(() => attach(createSecureServer(certificate))).toThrow(needed);
  });
});
