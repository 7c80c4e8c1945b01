export { Access } from "./access.ts";
export { requestFields } from "./fields.ts";
export { createHost, type HostParts, type RocketServer, type ServerAddress } from "./host.ts";
export { sendAnswer } from "./http-listener.ts";
export { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from "./options.ts";
export { createServer } from "./server.ts";
export { isUnsafeMethod, staleUrls, type WriteOutcome } from "./stale-urls.ts";
export { UpgradeHandler, type UpgradeParts } from "./upgrade.ts";
