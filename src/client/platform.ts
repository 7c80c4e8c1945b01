interface Platform {
  readonly navigator?: { readonly locks?: unknown };
  readonly BroadcastChannel?: unknown;
  readonly addEventListener?: typeof globalThis.addEventListener;
  readonly document?: Document;
}

/** Whether tabs can share a connection here: a page, with locks (a secure context) and channels. */
export function canShare(): boolean {
  const { navigator, BroadcastChannel, document } = globalThis as Platform;
  return Boolean(document && navigator?.locks && BroadcastChannel);
}

/**
 * Listens to what a browser knows of the network and of who is looking. Returns a function that ends it; elsewhere
 * there is nothing to hear.
 */
export function watchPlatform({ wake, sleep }: { wake: () => void; sleep: () => void }): () => void {
  const { addEventListener, document } = globalThis as Platform;
  const stop = new AbortController();
  const listen = (at: EventTarget, name: string, then: () => unknown): void =>
    at.addEventListener(name, then, { signal: stop.signal });
  if (addEventListener && document) {
    listen(globalThis, "online", wake);
    listen(globalThis, "offline", sleep);
    // A page that comes back from the cache has lost its connection without a word.
    listen(globalThis, "pageshow", wake);
    listen(document, "visibilitychange", () => document.visibilityState === "visible" && wake());
  }
  return () => stop.abort();
}
