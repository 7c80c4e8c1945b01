/** Where there is no WebSocket, a page has none. */
export const WebSocket: undefined = undefined;
