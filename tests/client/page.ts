/** A page as far as a client looks at it, in the place of the platform's. */
export interface Page {
  readonly listeners: number;
  open(): void;
  close(): void;
}

/** Lets clients find a page; counts who listens to it. */
export function createPage(): Page {
  const signals = new Set<AbortSignal>();
  const target = new EventTarget();
  const platform = globalThis as unknown as Record<string, unknown>;
  const add = (type: string, listener: () => void, options: { signal: AbortSignal }): void => {
    signals.add(options.signal);
    options.signal.addEventListener("abort", () => signals.delete(options.signal));
    target.addEventListener(type, listener, options);
  };
  return {
    get listeners() {
      return signals.size;
    },
    open() {
      platform.addEventListener = add;
      platform.dispatchEvent = (event: Event) => target.dispatchEvent(event);
      platform.document = { addEventListener: add, visibilityState: "visible" };
    },
    close() {
      for (const name of ["addEventListener", "dispatchEvent", "document"]) delete platform[name];
    },
  };
}
