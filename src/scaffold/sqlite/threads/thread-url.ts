/** The module that a reader's thread runs. */
export const threadUrl: URL = new URL("./thread.js", import.meta.url);
