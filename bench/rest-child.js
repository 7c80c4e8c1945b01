// One server that is measured, in a process of its own: `rest-child.js KIND DATABASE`.
import { startExpressCompressing, startExpressPg, startExpressSqlite } from "./rest-express.js";
import { startJsonServer, startRocket, startRocketOneByOne } from "./rest-others.js";

const kinds = {
  rocket: startRocket,
  "rocket-one-by-one": startRocketOneByOne,
  "express-sqlite": startExpressSqlite,
  "express-compressing": startExpressCompressing,
  "express-pg": startExpressPg,
  "json-server": startJsonServer,
};

const [kind, path] = process.argv.slice(2);
const { port, stop } = await kinds[kind](path);
process.on("message", ({ request }) => process.send({ request, ...process.cpuUsage() }));
process.on("disconnect", async () => {
  await stop();
  process.exit();
});
process.send({ port });
