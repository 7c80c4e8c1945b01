/** Tells that resources may have changed: in this process, or from one to others. */
export interface Staleness {
  /** Says that the resources at these URLs may have changed. Must not throw. */
  publish(urls: readonly string[]): void;
  /** Calls `listener` with what is published from now on, by anybody. Returns a function that ends it. */
  subscribe(listener: (urls: readonly string[]) => void): () => void;
}

/** Staleness within one process. */
export function createLocalStaleness(): Staleness {
  const listeners = new Set<(urls: readonly string[]) => void>();
  return {
    publish(urls) {
      for (const listener of listeners) listener(urls);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
