import { type RetryClass, retryClass } from "./retry-class.ts";

/** A row of {@link closeCodes}. */
export interface CloseCode {
  readonly code: number;
  /** In a few words. */
  readonly name: string;
  /** When it is used. */
  readonly meaning: string;
  readonly retry: RetryClass;
}

function row(code: number, name: string, meaning: string): CloseCode {
  return { code, name, meaning, retry: retryClass(code) };
}

/** The close codes of the protocol [R-CLOSE-1]. 4000 + a status means what the status means. */
export const closeCodes: readonly CloseCode[] = [
  row(1000, "normal", "The peer is done, or the subscribed record is gone."),
  row(1001, "going away", "The peer stops, or a Level 0 client has to GET again."),
  row(1002, "protocol error", "A message was no HTTP message of this protocol."),
  row(1003, "unsupported data", "The peer does not take this kind of frame."),
  row(1006, "abnormal", "The connection broke; never sent."),
  row(1007, "invalid data", "A text frame was not UTF-8."),
  row(1009, "too large", "A message was larger than the receiver's limits."),
  row(1011, "internal error", "The server failed."),
  row(1012, "service restart", "The server restarts. This project does not send it [R-CLOSE-6]."),
  row(1013, "try again later", "The server is overloaded. This project does not send it [R-CLOSE-6]."),
  row(4301, "moved permanently", "The resource is at Location."),
  row(4302, "found", "The resource is at Location for now."),
  row(4303, "see other", "Another resource answers, at Location."),
  row(4307, "temporary redirect", "The resource is at Location for now."),
  row(4308, "permanent redirect", "The resource is at Location."),
  row(4400, "bad request", "The request was malformed."),
  row(4401, "unauthorized", "Credentials are missing, wrong or expired."),
  row(4403, "forbidden", "These credentials may not see the resource."),
  row(4404, "not found", "There is no such resource."),
  row(4408, "request timeout", "The client was too slow."),
  row(4409, "conflict", "The request conflicts with the resource's state."),
  row(4410, "gone", "The history since Last-Event-ID is lost, and strict handling was asked for."),
  row(4413, "content too large", "The view grew beyond what the server sends."),
  row(4415, "unsupported media type", "The resource can't be followed in this form."),
  row(4421, "misdirected request", "The server does not answer for this host."),
  row(4422, "unprocessable content", "The resource is not live."),
  row(4429, "too many requests", "A rate or number was exceeded; Retry-After says how long to wait."),
  row(4500, "internal server error", "The server failed."),
  row(4503, "service unavailable", "The server can't answer now; Retry-After says how long to wait."),
];

/** The close code that says a status: 4000 + status [R-CLOSE-1]. */
export function closeCodeForStatus(status: number): number {
  return 4000 + status;
}

const maxReasonBytes = 123;

/** The longest beginning of `text` that fits a close frame: 123 bytes of UTF-8, whole characters only [R-CLOSE-3]. */
export function truncateReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > maxReasonBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
