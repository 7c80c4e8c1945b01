import type { Field } from "../../protocol/index.ts";

/** Who connects, and to what. */
export interface Handshake {
  /** 0: the proposal's messages. 1: `rocket.v1`. */
  readonly level: 0 | 1;
  /** The URL that was opened: path and query. */
  readonly target: string;
  /** The handshake's fields. */
  readonly fields: readonly Field[];
  /**
   * False where the peer is a page of another origin, whose writes the application would judge by its CORS rules: then its
   * requests in band may only read [R-BAND-19]. Default true.
   */
  readonly mayWrite?: boolean;
  /**
   * True at Level 0 where notifications say their position, too, as patch streams need it; then a `Last-Event-ID` counts, and
   * one that can't be resumed from is refused [R-STR-20]. Default false.
   */
  readonly hasPositions?: boolean;
  /** Who the peer is at the transport: handed to the origin as it is, looked at by nobody else. */
  readonly peer?: unknown;
}
