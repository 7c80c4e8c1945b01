import type { Field } from "../wire/http.ts";
import type { Way } from "./way.ts";

/** What a client follows by: messages go along it, until one of the two ends it. */
export interface Channel {
  readonly way: Way;
  /** The code by which the client closed; 1006 where it only went; `undefined` while it is there. */
  readonly closedWith: number | undefined;
  /** Sends a message. */
  send(message: string): void;
  /** Sends the beginning of a message, and ends. */
  tear(message: string): void;
  /** Waits until the client has read all that was sent, as well as that can be known. False where it has gone. */
  fence(): Promise<boolean>;
  /** Waits until the client has closed or gone. True where it has. */
  gone(limitMs: number): Promise<boolean>;
  /** Answers the request itself, and begins no stream. False where something was sent already, or requests aren't answered so. */
  answer(status: number, fields: readonly Field[], body: string): boolean;
  /** Ends it. @param code - why, where it has codes */
  close(code: number): void;
  /** Breaks the connection. */
  drop(): void;
}
