import type { ServerOptions } from "node:http";

/** Node's own options for deadlines that hold: it looks for what is late every 30 s unless it is told otherwise. */
export const deadlineOptions: ServerOptions = {
  /** A head that takes longer is answered with 408. */
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};
