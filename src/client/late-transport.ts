import type { Following, Transport } from "./transport.ts";

/** A transport whose code is being loaded: what is asked of it meanwhile is done then. */
class LateTransport implements Transport {
  readonly #loading: Promise<void>;
  #transport: Transport | undefined;
  #isClosed = false;

  constructor(loading: Promise<Transport>) {
    this.#loading = loading.then((transport) => {
      this.#transport = transport;
      if (this.#isClosed) transport.close();
    });
  }

  follow(following: Following): () => void {
    if (this.#transport) return this.#transport.follow(following);
    let isOver = false;
    let unfollow = (): void => {};
    void this.#loading.then(() => {
      if (!isOver && this.#transport) unfollow = this.#transport.follow(following);
    });
    return () => {
      isOver = true;
      unfollow();
    };
  }

  renew(): void {
    this.#transport?.renew();
  }

  wake(): void {
    this.#transport?.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#transport?.close();
  }
}

/** Makes a transport of one that will be there later. */
export function lateTransport(loading: Promise<Transport>): Transport {
  return new LateTransport(loading);
}
