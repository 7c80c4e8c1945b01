import type { Body } from "./message.ts";
import { splitMessage } from "./split-message.ts";

/** What is known of a message by its head's first look. */
export interface MessageMark {
  readonly status: number;
  /** Its `Event-ID`. */
  readonly eventId: string | undefined;
  /** True where it says that there may be something new which the server has not seen [R-DER-10, R-HB-5]. */
  readonly isStale: boolean;
}

const staleLine = /\r\nstale: \?1(?=\r\n|$)/i;
const eventIdLine = /\r\nevent-id: ([\w.~:-]+)(?=\r\n|$)/i;

/** The mark of a message whose head the codec wrote. */
export function markInHead(head: string): MessageMark {
  return {
    status: Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)),
    eventId: eventIdLine.exec(head)?.[1],
    isStale: staleLine.test(head),
  };
}

/**
 * The mark of a message that `encodeResponse` wrote, text or bytes.
 *
 * @throws TypeError where it has no head
 */
export function messageMark(message: Body): MessageMark {
  return markInHead(splitMessage(message).head);
}
