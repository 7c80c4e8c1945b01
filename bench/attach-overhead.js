import { AttachServer } from "./attach-child.js";
import { RequestConnection, requestBytes } from "./load-writer.js";

const clients = 16;
const each = 100;
const requests = {
  GET: requestBytes("GET", "/songs/7"),
  POST: requestBytes("POST", "/songs/7", JSON.stringify({ plays: 7 })),
};

/** Microseconds of a server's CPU for each request. */
async function cost(server, bytes) {
  const connections = Array.from({ length: clients }, () => server.connection());
  await Promise.all(connections.map((connection) => connection.opened()));
  const before = await server.ask("cpu");
  await Promise.all(
    connections.map(async (connection) => {
      for (let n = 0; n < each; n += 1) await connection.ask(bytes);
    }),
  );
  const after = await server.ask("cpu");
  for (const connection of connections) connection.close();
  return (after.cpuMicros - before.cpuMicros) / (clients * each);
}

/** The app's CPU for each request, attached to without anybody who follows, beside the app alone. */
export async function overheadRows({ load, add, progress }) {
  const servers = [];
  for (const kind of ["attach", "plain", "plain"]) {
    const server = new AttachServer(kind, 20, load);
    const port = await server.port();
    server.connection = () => new RequestConnection(port);
    servers.push(server);
  }
  const [attached, plain, again] = servers;
  progress(`an app with attach and two without, ${clients} connections each`);
  const unit = "µs CPU per request";
  for (const [method, bytes] of Object.entries(requests)) {
    const [a, b, control] = [attached, plain, again].map((server) => () => cost(server, bytes));
    await add({ name: `control, ${method}: Express, twice`, a: control, b, unit });
    await add({ name: `${method}, nobody follows: Express + attach / Express`, a, b, goal: 1.05, unit });
  }
  for (const server of servers) server.stop();
}
