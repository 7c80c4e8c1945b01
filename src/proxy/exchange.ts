import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";

/** A request's body: as it comes, or whole. */
export type UpstreamBody = Readable | Buffer;

/** A request for the upstream, without its body. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn. */
  readonly fields: string[];
  /** The protocol to change to. */
  readonly upgrade?: string;
}

/** Holds a running exchange. */
export type ExchangeControl = Pick<
  Dispatcher.DispatchController,
  "abort" | "pause" | "resume" | "rawHeaders" | "rawTrailers"
>;

/** Told of an exchange with the upstream, as it unfolds: undici's handler of dispatches. */
export interface ExchangeHandler {
  /** The request is about to be written. */
  onRequestStart(control: ExchangeControl): void;
  /** The connection now speaks another protocol. */
  onRequestUpgrade?(control: ExchangeControl, status: number, fields: unknown, socket: Readable): void;
  /** A head came: any number of 1xx, then the final one. */
  onResponseStart(control: ExchangeControl, status: number, fields: unknown, reason?: string): void;
  onResponseData(control: ExchangeControl, chunk: Buffer): void;
  onResponseEnd(control: ExchangeControl, trailers: unknown): void;
  onResponseError(control: ExchangeControl, error: Error): void;
}
