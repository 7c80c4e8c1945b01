import {
  decodeEvent,
  EventStreamDecoder,
  type Field,
  type HttpResponse,
  HttpStreamDecoder,
  PatchCollector,
  type StreamKind,
} from "../protocol/index.ts";
import { type Framing, patchFramingOf, streamFramings } from "../server/index.ts";

/** A stream over plain HTTP, in memory. */
export type MemoryStream = StreamKind | "patch-stream";

/** How a peer reads what is written to it. */
export interface Reading {
  readonly framing: Framing;
  read(bytes: Uint8Array): readonly HttpResponse[];
}

interface Operation {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

const statuses = { add: 201, replace: 202, remove: 204 } as const;

/** The operations of a patch, as an event of a patch stream has them, as notifications; the last one has its id. */
export function notificationsOf(data: string, id: string | undefined): HttpResponse[] {
  const operations: readonly Operation[] = JSON.parse(data);
  return operations.map(({ op, path, value }, at) => {
    const mark: readonly Field[] = id !== undefined && at === operations.length - 1 ? [["Event-ID", id]] : [];
    const fields: readonly Field[] = [["Content-Location", path.replaceAll("~0", "~")], ...mark];
    return { status: statuses[op], reason: "", fields, body: op === "remove" ? "" : JSON.stringify(value) };
  });
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message of bytes with its body as a text where it is one, as that of a WebSocket is. */
function withText(message: HttpResponse): HttpResponse {
  if (typeof message.body === "string") return message;
  try {
    return { ...message, body: text.decode(message.body) };
  } catch {
    return message;
  }
}

/** How a stream of a kind is read. Records of a patch stream are at `/record` in their bodies, as those of a memory store. */
export function createStreamReading(kind: MemoryStream): Reading {
  if (kind === "http-stream") {
    const decoder = new HttpStreamDecoder();
    return { framing: streamFramings[kind], read: (bytes) => Array.from(decoder.decode(bytes), withText) };
  }
  const events = new EventStreamDecoder();
  if (kind === "event-stream") {
    const read = (bytes: Uint8Array): HttpResponse[] =>
      [...events.decode(bytes)].map((event) => decodeEvent(event)).filter((message) => message !== undefined);
    return { framing: streamFramings[kind], read };
  }
  const collector = new PatchCollector();
  return {
    framing: patchFramingOf("/record"),
    read: (bytes) =>
      [...events.decode(collector.add(bytes) ?? new Uint8Array())].flatMap(({ data, id }) => notificationsOf(data, id)),
  };
}
