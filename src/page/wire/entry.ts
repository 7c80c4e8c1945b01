import { fieldValue, type HttpResponse } from "../../protocol/index.ts";

/** What went over the wire, or happened to it. */
export interface Entry {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** By the clock that never goes back. */
  readonly moment: number;
  /** `in` and `out` are messages of a socket, `http` a request of the page's own with its answer, `note` what happened. */
  readonly kind: "in" | "out" | "http" | "note";
  /** The start line without what is the same everywhere: `202 Accepted`, `SUBSCRIBE`. */
  readonly start: string;
  readonly status?: number | undefined;
  /** What it is about: a record's URL, or that which is followed. */
  readonly url: string;
  readonly position?: string | undefined;
  /** Whether it tells that a row entered, changed or left. */
  readonly isChange?: boolean;
  /** Whether it is all of what is followed, and nobody had asked for it. */
  readonly isWhole?: boolean;
  /** All of it, as it came. */
  readonly text: string;
  /** What it did; known once it was shown. */
  effect: string;
  /** Milliseconds since the answer to the write that it tells; only where that write was this page's own. */
  sinceAnswerMs?: number | undefined;
}

/** An entry before it has a number and a time. */
export type NewEntry = Omit<Entry, "id" | "time" | "moment">;

/** A message of a socket that came in. */
export function entryOfMessage(message: HttpResponse, text: string): NewEntry {
  const { status, reason, fields } = message;
  const url = fieldValue(fields, "content-location") ?? fieldValue(fields, "subscription") ?? "";
  const position = fieldValue(fields, "event-id");
  const effect = quickEffect(message);
  const isAnswer = fieldValue(fields, "request-id") !== undefined;
  const isChange = !isAnswer && (status === 201 || status === 202 || status === 204);
  const isWhole = !isAnswer && status === 200 && url !== "";
  const start = `${status} ${reason ?? ""}`.trim();
  return { kind: "in", isChange, isWhole, start, status, url, position, text, effect };
}

/** What a message does, as far as it says so itself. */
function quickEffect({ status, fields }: HttpResponse): string {
  if (fieldValue(fields, "stale") === "?1") return "the server can't look at the moment";
  if (fieldValue(fields, "request-id") !== undefined && status === 204) return "followed no more";
  if (status === 304) return "nothing new up to here";
  if (status >= 400) return "refused";
  return "";
}

/** A message that the page has sent. */
export function entryOfSent(text: string): NewEntry {
  const [line = ""] = text.split("\r\n", 1);
  const [start = "", url = ""] = line.split(" ");
  const effects: Readonly<Record<string, string>> = {
    SUBSCRIBE: "follows from now on",
    UNSUBSCRIBE: "follows no more",
  };
  return { kind: "out", start, url, text, effect: effects[start] ?? "" };
}

/** `12:01:07.312` */
export function formatTime(time: number): string {
  const date = new Date(time);
  const two = (number: number): string => String(number).padStart(2, "0");
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${parts}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `+1.8 ms` */
export function formatLatency(ms: number): string {
  return `${ms < 0 ? "−" : "+"}${Math.abs(ms).toFixed(1)} ms`;
}
