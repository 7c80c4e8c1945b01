/** The WebSocket of a Node that has none of its own. Bundlers for pages put `no-web-socket` in its place. */
export { WebSocket } from "ws";
