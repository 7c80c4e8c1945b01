import { EventStreamDecoder, type Field, type HttpResponse } from "../../src/protocol/index.ts";
import { withStreams } from "../../src/server/index.ts";
import { notificationsOf } from "../../src/testing/stream-reading.ts";
import { readerOf, streamAccept } from "./http-stream-peer.ts";
import type { Call, Peer, Surroundings } from "./surroundings.ts";
import type { World } from "./world.ts";

type Handler = ReturnType<typeof withStreams>;

function patchReader(): (bytes: Uint8Array) => HttpResponse[] {
  const events = new EventStreamDecoder();
  return (bytes) => [...events.decode(bytes)].flatMap(({ data, id }) => notificationsOf(data, id));
}

/** A client's end of the body of a `Response`. */
class FetchPeer implements Peer {
  readonly peakUnreadBytes = 0;
  readonly pings = 0;
  closing: Peer["closing"];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #take: (bytes: Uint8Array) => void;
  #isPaused = false;
  #isReading = false;
  #isGone = false;

  constructor(body: Response["body"], take: (bytes: Uint8Array) => void) {
    this.#reader = body?.getReader();
    this.#take = take;
    void this.#read();
  }

  request(): void {}

  send(): void {}

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    void this.#read();
  }

  disconnect(): void {
    this.#isGone = true;
    void this.#reader?.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    if (this.#isReading || !this.#reader) return;
    this.#isReading = true;
    while (!this.#isPaused && !this.#isGone && !this.closing) {
      const part = await this.#reader.read().catch(() => ({ done: true, value: undefined }));
      if (this.#isGone) break;
      if (part.value) this.#take(part.value);
      if (part.done) this.closing = { code: 1006, reason: "" };
    }
    this.#isReading = false;
  }
}

async function connect(handler: Handler, { target, fields, onMessage, stream = "event-stream" }: Call): Promise<Peer> {
  const isPatch = stream === "patch-stream";
  const accept = streamAccept(isPatch ? "event-stream" : stream, fields);
  const headers = fields.filter(([name]) => name !== "Accept").map(([name, value]): [string, string] => [name, value]);
  const request = new Request(`http://example.com${target}`, {
    method: isPatch ? "SUBSCRIBE" : "GET",
    headers: [...headers, ["Accept", accept]],
  });
  const response = await handler(request);
  const { status } = response;
  if (status !== 200) {
    onMessage({ status, reason: "", fields: [], body: await response.text() });
    const peer = new FetchPeer(null, () => {});
    peer.closing = { code: 4000 + status, reason: "" };
    return peer;
  }
  const read = isPatch ? patchReader() : readerOf(stream);
  return new FetchPeer(response.body, (bytes) => {
    for (const message of read(bytes)) onMessage(message);
  });
}

/** A world that clients reach through a function from `Request` to `Response`, as on Bun, Deno and Workers. */
export function overFetch(world: World): Surroundings {
  const handler = (): Handler => {
    const answer = async (request: Request): Promise<Response> => {
      const { pathname, search } = new URL(request.url);
      const { status, fields, body } = await world.get(pathname + search);
      return new Response(String(body), {
        status,
        headers: fields.map(([name, value]): [string, string] => [name, value]),
      });
    };
    const onError = (error: unknown): unknown => world.errors.push(`fetch: ${error}`);
    return withStreams(world.hub, answer, { clock: world.clock, onError });
  };
  const poll: Surroundings["poll"] = async (target, lastEventId, signal) => {
    const headers = { Prefer: "wait=20", "Last-Event-ID": lastEventId };
    const abort = new AbortController();
    const leave = (): void => abort.abort();
    signal.addEventListener("abort", leave);
    const request = new Request(`http://example.com${target}`, { headers, signal: abort.signal });
    const response = await handler()(request);
    signal.removeEventListener("abort", leave);
    // So that nobody asks twice at one moment.
    await new Promise<void>((resolve) => world.clock.setTimer(resolve, 5));
    const fields: Field[] = [...response.headers];
    return { status: response.status, reason: "", fields, body: await response.text() };
  };
  // All else is the world's own.
  return Object.assign(Object.create(world) as World, { connect: (call: Call) => connect(handler(), call), poll });
}
