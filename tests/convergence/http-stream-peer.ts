import { type IncomingMessage, request } from "node:http";
import {
  decodeEvent,
  EventStreamDecoder,
  type Field,
  type HttpResponse,
  HttpStreamDecoder,
  type StreamKind,
} from "../../src/protocol/index.ts";
import type { Call, Peer } from "./surroundings.ts";

const types: Readonly<Record<StreamKind, string>> = {
  "event-stream": "text/event-stream",
  "http-stream": "application/http",
};

/** How the bytes of a stream are read. */
export function readerOf(kind: StreamKind): (bytes: Uint8Array) => HttpResponse[] {
  if (kind === "http-stream") {
    const decoder = new HttpStreamDecoder();
    return (bytes) => Array.from(decoder.decode(bytes), (message) => ({ ...message, body: textOf(message) }));
  }
  const decoder = new EventStreamDecoder();
  return (bytes) => Array.from(decoder.decode(bytes), (event) => decodeEvent(event)).filter((one) => one !== undefined);
}

function textOf({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

/** What asks for a stream, and for what the other fields want by the rest. */
export function streamAccept(kind: StreamKind, fields: readonly Field[]): string {
  const rest = fields.filter(([name]) => name === "Accept").map(([, value]) => `${value};q=0.5`);
  // Each range of the rest has a weight of its own.
  return [types[kind], ...rest.map((list) => list.replaceAll(",", ";q=0.5,"))].join(", ");
}

/** A client's end of a stream over plain HTTP: what it says is heard by nobody. */
class HttpStreamPeer implements Peer {
  readonly peakUnreadBytes = 0;
  readonly pings = 0;
  closing: Peer["closing"];
  response: IncomingMessage | undefined;
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  request(): void {}

  send(): void {}

  pause(): void {
    this.response?.pause();
  }

  resume(): void {
    this.response?.resume();
  }

  disconnect(): void {
    this.#end();
  }
}

/**
 * Opens a stream. Resolves once its head is there, or it has failed: then it is closed from the start.
 *
 * @param onEvent - called after each piece and when the stream ends
 */
export function openHttpStream(base: string, call: Call, kind: StreamKind, onEvent: () => void): Promise<Peer> {
  const { target, onMessage } = call;
  const wishes = call.fields.filter(([name]) => name !== "Accept");
  const fields: readonly Field[] = [...wishes, ["Accept", streamAccept(kind, call.fields)]];
  const sent = request(base + target, { headers: Object.fromEntries(fields), agent: false });
  const peer = new HttpStreamPeer(() => sent.destroy());
  const end = (code: number): void => {
    peer.closing ??= { code, reason: "" };
    onEvent();
  };
  return new Promise((resolve) => {
    const fail = (): void => {
      end(1006);
      resolve(peer);
    };
    sent.on("error", fail);
    sent.on("response", (response: IncomingMessage) => {
      peer.response = response;
      const { statusCode: status = 0 } = response;
      const read = status === 200 ? readerOf(kind) : undefined;
      let refusal = "";
      response.on("data", (bytes: Buffer) => {
        if (read) for (const message of read(bytes)) onMessage(message);
        else refusal += bytes.toString();
        onEvent();
      });
      response.on("error", fail);
      response.on("close", () => {
        if (!read) onMessage({ status, reason: "", fields: [], body: refusal });
        end(read ? 1006 : 4000 + status);
      });
      resolve(peer);
      onEvent();
    });
    sent.end();
  });
}
