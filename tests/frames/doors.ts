import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";
import express from "express";
import { attach, createServer } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createMemoryStore } from "../../src/testing/index.ts";

/** A server that is up while the tests of its kind run. */
export interface Door {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** A way to make a server. */
export interface DoorKind {
  readonly name: string;
  readonly open: () => Promise<Door>;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const api: RequestListener = (_request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end('[{"id":1}]');
};

function expressApi(): RequestListener {
  const app = express();
  app.use((_request, response) => void response.json([{ id: 1 }]));
  return app;
}

async function openServe(): Promise<Door> {
  const store = createMemoryStore({ collections: ["frames"], segment: "f" });
  const rocket = createServer({ origin: store.origin, journal: store.journal, drainMs: 0 });
  const { port } = await rocket.listen(0);
  return { port, close: () => rocket.close() };
}

async function openAttach(listener: RequestListener): Promise<Door> {
  const server = createHttpServer(listener);
  const attachment = attach(server);
  const port = await listen(server);
  return {
    port,
    close: async () => {
      await attachment.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function openProxy(): Promise<Door> {
  const upstream = createHttpServer(api);
  const url = `http://127.0.0.1:${await listen(upstream)}`;
  const proxy = createProxy({ upstream: url, drainMs: 0, log: () => {} });
  const { port } = await proxy.listen(0);
  return {
    port,
    close: async () => {
      await proxy.close();
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}

export const doorKinds: readonly DoorKind[] = [
  { name: "serve", open: openServe },
  { name: "attach with node:http", open: () => openAttach(api) },
  { name: "attach with Express", open: () => openAttach(expressApi()) },
  { name: "the proxy", open: openProxy },
];
