export type { ProxyOptions } from "./options.ts";
export { createProxy } from "./proxy.ts";
