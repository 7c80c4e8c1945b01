/** In place of `thread-url.ts`: the built module that a reader's thread runs. */
export const threadUrl: URL = new URL("../dist/scaffold/sqlite/threads/thread.js", import.meta.url);
