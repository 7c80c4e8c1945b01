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
  if (!addEventListener || !document) return () => {};
  const stop = new AbortController();
  const { signal } = stop;
  globalThis.addEventListener("online", wake, { signal });
  globalThis.addEventListener("offline", sleep, { signal });
  // A page that comes back from the cache has lost its connection without a word.
  globalThis.addEventListener("pageshow", wake, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), { signal });
  return () => stop.abort();
}
