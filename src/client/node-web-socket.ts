/** The WebSocket of a Node that has none of its own. Elsewhere package.json's `imports` put `no-web-socket` in its place. */
export { WebSocket } from "ws";
