/**
 * What a client does after a close: `stop` (it is over as it should be), `retry` (reconnect with jitter and resume),
 * `fatal` (the same would happen again), `credentials` (get new ones, then try once).
 */
export type RetryClass = "stop" | "retry" | "fatal" | "credentials";

/** A row of {@link closeCodes}. */
export interface CloseCode {
  readonly code: number;
  /** In a few words. */
  readonly name: string;
  /** When it is used. */
  readonly meaning: string;
  readonly retry: RetryClass;
}

function row(code: number, name: string, retry: RetryClass, meaning: string): CloseCode {
  return { code, name, meaning, retry };
}

/** The close codes of the protocol [R-CLOSE-1]. 4000 + a status means what the status means. */
export const closeCodes: readonly CloseCode[] = [
  row(1000, "normal", "stop", "The peer is done, or the subscribed record is gone."),
  row(1001, "going away", "retry", "The peer's process or page is going away."),
  row(1002, "protocol error", "fatal", "A message was no HTTP message of this protocol."),
  row(1003, "unsupported data", "fatal", "The peer does not take this kind of frame."),
  row(1006, "abnormal", "retry", "The connection broke; never sent."),
  row(1007, "invalid data", "fatal", "A text frame was not UTF-8."),
  row(1009, "too large", "fatal", "A message was larger than the receiver's limits."),
  row(1011, "internal error", "retry", "The server failed."),
  row(1012, "service restart", "retry", "The server stops, or a Level 0 client has to GET again."),
  row(1013, "try again later", "retry", "The server is overloaded."),
  row(4301, "moved permanently", "fatal", "The resource is at Location."),
  row(4302, "found", "fatal", "The resource is at Location for now."),
  row(4303, "see other", "fatal", "Another resource answers, at Location."),
  row(4307, "temporary redirect", "fatal", "The resource is at Location for now."),
  row(4308, "permanent redirect", "fatal", "The resource is at Location."),
  row(4400, "bad request", "fatal", "The request was malformed."),
  row(4401, "unauthorized", "credentials", "Credentials are missing, wrong or expired."),
  row(4403, "forbidden", "fatal", "These credentials may not see the resource."),
  row(4404, "not found", "fatal", "There is no such resource."),
  row(4408, "request timeout", "retry", "The client was too slow."),
  row(4409, "conflict", "fatal", "The request conflicts with the resource's state."),
  row(4410, "gone", "fatal", "The history since Last-Event-ID is lost, and strict handling was asked for."),
  row(4413, "content too large", "retry", "The view grew beyond what the server sends."),
  row(4415, "unsupported media type", "fatal", "The resource can't be followed in this form."),
  row(4421, "misdirected request", "fatal", "The server does not answer for this host."),
  row(4422, "unprocessable content", "fatal", "The resource is not live."),
  row(4429, "too many requests", "retry", "A rate or number was exceeded; Retry-After says how long to wait."),
  row(4500, "internal server error", "retry", "The server failed."),
  row(4503, "service unavailable", "retry", "The server can't answer now; Retry-After says how long to wait."),
];

const retryClasses: ReadonlyMap<number, RetryClass> = new Map(closeCodes.map(({ code, retry }) => [code, retry]));

/** What a client does after a close with that code: as listed; unlisted 43xx and 44xx `fatal`, all others `retry` [R-CLOSE-2]. */
export function retryClass(code: number): RetryClass {
  return retryClasses.get(code) ?? (code >= 4300 && code < 4500 ? "fatal" : "retry");
}

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
