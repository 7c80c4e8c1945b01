import type { Connection } from "../driver.ts";

/** A connection that is opened anew once another file has taken the database's place. */
export class Link {
  readonly #open: () => Connection;
  #connection: Connection;
  #isStale = false;

  /**
   * @param open - opens the connection
   * @throws what `open` throws
   */
  constructor(open: () => Connection) {
    this.#open = open;
    this.#connection = open();
  }

  /** The connection to the file as it is now; not to be asked for in the middle of a transaction. */
  current(): Connection {
    if (this.#isStale) {
      const fresh = this.#open();
      this.#connection.close();
      this.#connection = fresh;
      this.#isStale = false;
    }
    return this.#connection;
  }

  /** Says that the file was replaced. */
  renew(): void {
    this.#isStale = true;
  }

  /** Closes the connection. Twice is fine. */
  close(): void {
    this.#connection.close();
  }
}
