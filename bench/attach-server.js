// One server of the attach bench, in a process of its own: `attach`, `unbounded`, `plain`, `socket-io` or
// `socket-io-render`, how many rows its app has, and whether they are `listed`. It is driven by messages of its parent.
import { createServer } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Server } from "socket.io";
import { attach } from "../dist/node/index.js";
import { Gate } from "../dist/server/derived/gate.js";
import { createApp } from "./attach-app.js";

const [kind, rows, size] = process.argv.slice(2);
const nanosPerMilli = 1e6;

let written;
const { app, counts, render } = createApp({
  rows: Number(rows),
  areListed: size === "listed",
  written: (record) => written?.(record),
});
const server = createServer(app);
if (kind === "attach" || kind === "unbounded") attach(server);
// The control: every GET that is due is asked at once.
if (kind === "unbounded") Gate.prototype.run = (task) => task();
if (kind.startsWith("socket-io")) {
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
  io.on("connection", (socket) => socket.join("songs"));
  written = (record) => {
    // The least that it costs to know the list as a GET shows it.
    if (kind === "socket-io-render") render();
    io.to("songs").emit("change", { record });
  };
}

const delay = monitorEventLoopDelay({ resolution: 1 });
const actions = {
  cpu() {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system };
  },
  counts: () => counts,
  watchDelay() {
    global.gc();
    delay.reset();
    delay.enable();
    return {};
  },
  delay() {
    delay.disable();
    return { p99: delay.percentile(99) / nanosPerMilli, max: delay.max / nanosPerMilli };
  },
};

process.on("message", ({ request, action }) => process.send({ request, ...actions[action]() }));
process.on("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
