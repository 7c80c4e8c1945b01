import type { Target } from "./views.ts";

/** What a client holds of a view at the end of a run. */
export interface Held {
  readonly name: string;
  readonly target: Target;
  /** Records by URL, as the text of their JSON. */
  readonly records: ReadonlyMap<string, string>;
}

/** A client of a run, whatever its level. */
export interface Reader {
  readonly name: string;
  readonly isConnected: boolean;
  /** @param isRight - goes on as a good client does, with no chance in it */
  connect(isRight?: boolean): void;
  disconnect(): void;
  pause(): void;
  resume(): void;
  /** Follows more or less, where its level can. */
  change(): void;
  /** Notices what the server did to the connection. */
  look(): void;
  /** True once all that it follows was given to it. */
  readonly isCaughtUp: boolean;
  /** How far each active subscription has come, where its level says. */
  positions(): { url: string; position: number }[];
  /** The run is over: what is open now was open at the end. */
  finish(): void;
  held(): Held[];
}
