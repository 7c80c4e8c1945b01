import { once } from "node:events";
import jsonServer from "json-server";
import { createServer } from "../dist/node/index.js";
import { createScaffold } from "../dist/scaffold/index.js";

async function serveRocket(path, asServed) {
  const scaffold = await createScaffold({ path });
  const server = createServer({ ...scaffold, origin: asServed(scaffold.origin) });
  const { port } = await server.listen(0);
  return {
    port,
    async stop() {
      await server.close();
      await scaffold.close();
    },
  };
}

/** Rocket over a SQLite file, or PostgreSQL. */
export function startRocket(path) {
  return serveRocket(path, (origin) => origin);
}

/** Rocket, given one request at a time: so each write is a transaction of its own, and waits for the one before. */
export function startRocketOneByOne(path) {
  let last = Promise.resolve();
  return serveRocket(path, (origin) => (request) => {
    const answer = last.then(() => origin(request));
    last = answer.catch(() => undefined);
    return answer;
  });
}

/** json-server over a file with the songs. */
export async function startJsonServer(path) {
  const app = jsonServer.create();
  app.use(jsonServer.defaults({ logger: false }));
  app.use(jsonServer.router(path));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, stop: () => server.close() };
}
