import type { Field } from "../../protocol/index.ts";

/** Tells of credentials that count no more before they say so themselves: somebody has signed out. */
export interface Revocations {
  /** Whether what a request's fields show was taken back. Asked often: it must not throw, nor take long. */
  isRevoked(fields: readonly Field[]): boolean;
  /** Calls `listener` each time that something was taken back. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
  /**
   * Calls `listener` each time that rights may have become others: what is followed with fields that are meant is authorised
   * anew, and nothing of it is shown until then. Returns a function that ends it. Default: never.
   */
  subscribeDoubts?(listener: (isMeant: IsMeant) => void): () => void;
}

/** Whether a request with these fields may have other rights by now. Must not throw. */
export type IsMeant = (fields: readonly Field[]) => boolean;

/** Where nothing is ever taken back. */
export const noRevocations: Revocations = { isRevoked: () => false, subscribe: () => () => undefined };
