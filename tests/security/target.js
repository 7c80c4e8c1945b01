// The process that is attacked: `node --max-old-space-size=256 --expose-gc target.js KIND OPTIONS`, with an IPC channel.
import { createServer as createHttpServer } from "node:http";
import { attach, createServer } from "../../dist/node/index.js";
import { createProxy } from "../../dist/proxy/index.js";
import { createScaffold } from "../../dist/scaffold/index.js";

const [kind = "", text = "{}"] = process.argv.slice(2);
const options = JSON.parse(text);
const limits = options.limits ?? {};

const row = "x".repeat(1_000);

/** An application: `/rows/N` and `/rows/N?…` are a document of about N kB, the same whatever the query says. */
function answerAsApp(request, response) {
  const count = Number(/^\/rows\/(\d+)/.exec(request.url)?.[1] ?? 0);
  const rows = Array.from({ length: count }, (_, id) => ({ id, row }));
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ rows }));
}

const hosts = {
  async serve() {
    const { path, ...scaffoldOptions } = options.scaffold;
    const scaffold = await createScaffold({ path, ...scaffoldOptions, onError: report });
    const server = createServer({ ...scaffold, derived: {}, limits, onError: report, ...options.server });
    return (await server.listen(0)).port;
  },
  async attach() {
    const server = createHttpServer(answerAsApp);
    attach(server, { limits, onError: report });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server.address().port;
  },
  async proxy() {
    const server = createProxy({ upstream: options.upstream, limits, onError: report });
    return (await server.listen(0)).port;
  },
};

const errors = [];

function report(error, { stage }) {
  if (errors.length < 10) errors.push(`${stage}: ${error?.stack ?? error}`);
}

/** For each turn of the loop in which a timer was due, the milliseconds of processor time since the one before. */
let stretches = [];
let usage = process.cpuUsage();
setInterval(() => {
  const { user, system } = process.cpuUsage(usage);
  usage = process.cpuUsage();
  stretches.push((user + system) / 1_000);
}, 10).unref();
let peak = 0;
setInterval(() => {
  const { heapUsed, external } = process.memoryUsage();
  peak = Math.max(peak, heapUsed + external);
}, 50).unref();

const answers = {
  /** What is in memory once all that is of no use is gone. */
  memory() {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return { bytes: heapUsed + external, peak, errors };
  },
  startDelay() {
    peak = 0;
    stretches = [];
  },
  /** For how long the loop let nobody else have a turn, its 99th percentile: whatever else the machine does. */
  delay() {
    stretches.sort((one, other) => one - other);
    return stretches[Math.floor(stretches.length * 0.99)] ?? 0;
  },
};

process.on("message", ({ id, ask }) => process.send({ id, answer: answers[ask]() ?? null }));
process.on("disconnect", () => process.exit());
process.send({ port: await hosts[kind]() });
