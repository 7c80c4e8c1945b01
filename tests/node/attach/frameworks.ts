import { startExpress } from "./frameworks/express.ts";
import { startFastify } from "./frameworks/fastify.ts";
import { startHono } from "./frameworks/hono.ts";
import { startKoa } from "./frameworks/koa.ts";
import { startPlain } from "./frameworks/plain.ts";
import type { Framework } from "./site.ts";

/** The sample application in each framework that attach is tested with. */
export const frameworks: readonly Framework[] = [
  { name: "Express", start: startExpress },
  { name: "Fastify", start: startFastify },
  { name: "Koa", start: startKoa },
  { name: "Hono", start: startHono },
  { name: "node:http", start: startPlain },
];
