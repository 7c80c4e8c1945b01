import { onTestFinished } from "vitest";
import {
  decodeEvent,
  EventStreamDecoder,
  type HttpResponse,
  HttpStreamDecoder,
  type StreamEvent,
} from "../../src/protocol/index.ts";

/** A stream over plain HTTP, as a client reads it. */
export class OpenStream {
  readonly response: Response;
  readonly events: StreamEvent[] = [];
  readonly messages: HttpResponse[] = [];
  /** All that came, as text. */
  text = "";
  hasEnded = false;
  readonly #decode: (bytes: Uint8Array) => void;
  readonly #waiting = new Set<() => void>();

  private constructor(response: Response) {
    this.response = response;
    this.#decode = response.headers.get("content-type")?.startsWith("text/event-stream")
      ? this.#events()
      : this.#parts();
    void this.#read();
  }

  /** Opens a stream; it goes with the test. */
  static async open(
    url: string,
    accept: string,
    headers: Record<string, string> = {},
    method = "GET",
  ): Promise<OpenStream> {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const { signal } = abort;
    return new OpenStream(await fetch(url, { method, headers: { Accept: accept, ...headers }, signal }));
  }

  /** Opens a patch stream; it goes with the test. */
  static patches(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
    return OpenStream.open(url, "text/event-stream", headers, "SUBSCRIBE");
  }

  /** Resolves with what `find` gives, once that is something. @throws Error where the stream ends before */
  until<Found>(find: (stream: this) => Found | undefined | false): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(this);
        if (found !== undefined && found !== false) resolve(found);
        else if (this.hasEnded) reject(new Error(`It ended after: ${this.text}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with the message of that place, from 0. */
  message(at: number): Promise<HttpResponse> {
    return this.until(({ messages }) => messages[at]);
  }

  /** Resolves with the event of that place, from 0. */
  event(at: number): Promise<StreamEvent> {
    return this.until(({ events }) => events[at]);
  }

  /** Resolves once it has ended. */
  async end(): Promise<void> {
    await this.until(({ hasEnded }) => hasEnded);
  }

  #events(): (bytes: Uint8Array) => void {
    const decoder = new EventStreamDecoder();
    return (bytes) => {
      for (const event of decoder.decode(bytes)) {
        this.events.push(event);
        const message = decodeEvent(event);
        if (message) this.messages.push(message);
      }
    };
  }

  #parts(): (bytes: Uint8Array) => void {
    const decoder = new HttpStreamDecoder();
    return (bytes) => this.messages.push(...decoder.decode(bytes));
  }

  async #read(): Promise<void> {
    const reader = this.response.body?.getReader();
    try {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        this.text += new TextDecoder().decode(part.value);
        this.#decode(part.value);
        for (const look of this.#waiting) look();
      }
    } catch {
      // The end of a stream that was cut is an end, too.
    }
    this.hasEnded = true;
    for (const look of this.#waiting) look();
  }
}
