/** What stands for the package `ws` outside Node, where WebSockets are the platform's or nobody's. */
export const WebSocket: undefined = undefined;
