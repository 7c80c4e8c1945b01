import type { Connection } from "../driver.ts";

/** A connection that is opened anew once another file has taken the database's place. */
export class Link {
  readonly #open: () => Connection;
  readonly #check: (() => void) | undefined;
  #connection: Connection;
  #isStale = false;

  /**
   * @param open - opens the connection
   * @param check - throws where what is done with the connection would be lost
   * @throws what `open` throws
   */
  constructor(open: () => Connection, check?: () => void) {
    this.#open = open;
    this.#check = check;
    this.#connection = open();
  }

  /** The connection to the file as it is now; not to be asked for in the middle of a transaction. @throws what `check` throws */
  current(): Connection {
    if (this.#isStale) {
      const fresh = this.#open();
      this.#connection.close();
      this.#connection = fresh;
      this.#isStale = false;
    }
    this.#check?.();
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
