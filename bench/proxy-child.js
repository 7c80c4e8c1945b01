// A process of the proxy's bench: `upstream`, or a proxy before the URL that follows: `rocket`, `plain`.
import { createServer } from "node:http";
import { Pool } from "undici";
import { createProxy } from "../dist/proxy/index.js";

const [kind, upstream] = process.argv.slice(2);
const small = Buffer.from(
  JSON.stringify({ songs: Array.from({ length: 10 }, (_, id) => ({ id, title: `song ${id}` })) }),
);
const large = Buffer.alloc(1024 * 1024, "x");

/** What everybody would write: undici behind node:http. */
function plainProxy() {
  const pool = new Pool(upstream);
  return createServer((request, response) => {
    const { method, url: path, headers } = request;
    const body = headers["content-length"] ? request : null;
    pool.stream(
      { path, method, headers, body },
      (answer) => response.writeHead(answer.statusCode, answer.headers),
      (error) => {
        if (error) response.destroy();
      },
    );
  });
}

function api() {
  return createServer((request, response) => {
    const body = request.url === "/large" ? large : small;
    request.resume().on("end", () => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length }).end(body);
    });
  });
}

async function listen() {
  if (kind === "rocket") return (await createProxy({ upstream }).listen(0)).port;
  const server = kind === "plain" ? plainProxy() : api();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

process.on("message", () => process.send(process.cpuUsage()));
process.on("disconnect", () => process.exit());
process.send({ port: await listen() });
