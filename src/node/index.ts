export type { ServerOptions } from "./options.ts";
export { createServer, type RocketServer, type ServerAddress } from "./server.ts";
