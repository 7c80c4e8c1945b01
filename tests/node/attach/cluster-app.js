// An application in two processes behind one port; both tell each other of writes. node cluster-app.js FILE
import cluster from "node:cluster";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { attach } from "../../../dist/node/index.js";

const [, , file = ""] = process.argv;

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  cluster.on("message", (from, message) => {
    for (const worker of workers) if (worker !== from) worker.send(message);
  });
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening += 1;
    if (listening === workers.length) console.log(`http://127.0.0.1:${port}`);
  });
  process.once("SIGTERM", () => {
    for (const worker of workers) worker.kill();
  });
} else {
  const listeners = new Set();
  process.on("message", (urls) => {
    for (const listener of listeners) listener(urls);
  });
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      const rows = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify([...rows, { id: rows.length + 1 }]));
    }
    response.setHeader("Content-Type", "application/json").setHeader("Connection", "close");
    response.setHeader("X-Worker", String(cluster.worker?.id)).end(readFileSync(file));
  });
  attach(server, {
    refreshMs: 3_600_000,
    staleness: {
      publish: (urls) => {
        for (const listener of listeners) listener(urls);
        process.send?.(urls);
      },
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  });
  server.listen(0, "127.0.0.1");
}
