export { main } from "./program.ts";
export { runServe } from "./serve.ts";
export type { Action, ServeOptions } from "./serve-options.ts";
