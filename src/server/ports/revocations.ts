import type { Field } from "../../protocol/index.ts";

/** Tells of credentials that count no more before they say so themselves: somebody has signed out. */
export interface Revocations {
  /** Whether what a request's fields show was taken back. Asked often: it must not throw, nor take long. */
  isRevoked(fields: readonly Field[]): boolean;
  /** Calls `listener` each time that something was taken back. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
}

/** Where nothing is ever taken back. */
export const noRevocations: Revocations = { isRevoked: () => false, subscribe: () => () => undefined };
