import type { IncomingMessage } from "node:http";
import type { BasePath } from "../../server/index.ts";
import { parseRequestTarget } from "../request-target.ts";

/** Below which paths of a server something is mounted. */
const mounts: WeakMap<object, Set<BasePath>> = new WeakMap();

/** Notes that all below a path of a server is a mount's. Returns what takes it back. */
export function noteMount(server: object, basePath: BasePath): () => void {
  const paths = mounts.get(server) ?? new Set();
  mounts.set(server, paths.add(basePath));
  return () => paths.delete(basePath);
}

type Targeted = Pick<IncomingMessage, "method" | "url">;

/** Whether a request is for what is at a path, or below it. */
export function isBelow(path: BasePath, { url = "/", method = "GET" }: Targeted): boolean {
  return path.has(parseRequestTarget(url, method)?.target ?? url);
}

/** Whether a request of a server is for what is mounted there. */
export function isMounted(server: object, request: Targeted): boolean {
  const paths = mounts.get(server);
  return paths !== undefined && [...paths].some((path) => isBelow(path, request));
}
