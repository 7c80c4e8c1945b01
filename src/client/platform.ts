/** Whether this runs in a page. */
export function isPage(): boolean {
  const { document, addEventListener } = globalThis as { document?: unknown; addEventListener?: unknown };
  return Boolean(document && addEventListener);
}

/** True where the browser says that it has no network; a server on the same machine may be there all the same. */
export function isCutOff(): boolean {
  return globalThis.navigator?.onLine === false;
}

/**
 * Listens to what a browser knows of the network and of who is looking. Returns a function that ends it; elsewhere
 * there is nothing to hear.
 */
export function watchPlatform({ wake, sleep }: { wake: () => void; sleep: () => void }): () => void {
  const stop = new AbortController();
  const listen = (at: EventTarget, name: string, then: () => unknown): void =>
    at.addEventListener(name, then, { signal: stop.signal });
  if (isPage()) {
    listen(globalThis, "online", wake);
    listen(globalThis, "offline", sleep);
    // A page that comes back from the cache has lost its connection without a word.
    listen(globalThis, "pageshow", wake);
    listen(document, "visibilitychange", () => document.visibilityState === "visible" && wake());
  }
  return () => stop.abort();
}
