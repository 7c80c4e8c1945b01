import { describe, expect, it } from "vitest";
import type { Http } from "../../src/client/http.ts";
import { StreamFollower } from "../../src/client/stream-follower.ts";
import type { Sink } from "../../src/client/transport.ts";
import { encodeEvent, encodeResponse, encodeRetry, type HttpResponse, silenceMs } from "../../src/protocol/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, listOf, message } from "./messages.ts";

interface Asked {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly answer: (response: Response | undefined) => void;
}

const eventOf = (one: HttpResponse): Uint8Array => encodeEvent(encodeResponse(one));
const bookmark: HttpResponse = { status: 304, reason: "", fields: [["Event-ID", "m:2.1"]], body: "" };

/** A stream's answer, and what a test does to it. */
function createAnswer() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (one) => {
      controller = one;
    },
  });
  return {
    response: new Response(body, { headers: { "Content-Type": "text/event-stream" } }),
    send: (...parts: Uint8Array[]) => {
      for (const part of parts) controller?.enqueue(part);
    },
    end: () => controller?.close(),
    break: () => controller?.error(new TypeError("The connection broke.")),
  };
}

/** A follower whose requests the test answers by hand. */
function follow({ takesDeltas = false } = {}) {
  const fake = createFakeClock();
  let sleptMs = 0;
  const clock = {
    random: () => fake.random(),
    now: () => fake.now() + sleptMs,
    setTimer: (callback: () => void, ms: number) => fake.setTimer(callback, ms),
    advance: (ms: number) => fake.advance(ms),
    get timers() {
      return fake.timers;
    },
  };
  const sleep = (ms: number): void => {
    sleptMs += ms;
  };
  const asked: Asked[] = [];
  const told: string[] = [];
  const sink: Sink = {
    target: "/a",
    position: undefined,
    askedAt: undefined,
    isCaughtUp: false,
    isUnseen: false,
    hasState: false,
    intervalMs: undefined,
    lookEvery: (intervalMs) => told.push(`every ${intervalMs}`),
    early: () => {},
    take: ({ status }) => told.push(String(status)) > 0,
    lost: () => told.push("lost"),
    fail: ({ status, detail }) => told.push(`fail ${status} ${detail}`),
  };
  const http = {
    base: new URL("http://h/"),
    authorization: async () => void told.push("asked for credentials"),
    fetch: (_path: string, { headers, signal }: { headers: Asked["headers"]; signal: AbortSignal }) =>
      new Promise<Response>((resolve, reject) => {
        const answer = (response?: Response): void =>
          response ? resolve(response) : reject(new TypeError("It can't be reached."));
        asked.push({ headers, signal, answer });
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  } as unknown as Http;
  const follower = new StreamFollower({
    sink,
    clock,
    http,
    takesDeltas,
    wasPutOff: false,
    onPutOff: ({ status }, leastMs) => told.push(`put off ${status} ${leastMs}`),
    onBuffered: () => told.push("buffered"),
    onNone: () => told.push("none"),
    onUnreachable: () => told.push("unreachable"),
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  /** Answers the last request by a stream that is open. */
  const open = async () => {
    const answer = createAnswer();
    asked.at(-1)?.answer(answer.response);
    answer.send(eventOf(listOf([{ id: 1 }], ["Event-ID", "m:1.1"])));
    await settle();
    return answer;
  };
  return { clock, sleep, asked, told, sink, follower, settle, open };
}

describe("A follower of a stream", () => {
  it("asks for events, takes each message, and is live by them [R-STR-3]", async () => {
    const { asked, told, follower, open, settle, clock } = follow();
    expect(asked[0]?.headers).toEqual({ Accept: "text/event-stream" });
    const stream = await open();
    const [first, second] = [eventOf(change(202, { id: 1 })), eventOf(bookmark)];
    stream.send(first.slice(0, 9), first.slice(9), second);
    await settle();
    expect(told).toEqual(["every undefined", "200", "202", "304"]);
    follower.stop();
    expect([asked[0]?.signal.aborted, clock.timers]).toEqual([true, 0]);
  });

  it("asks for deltas of who knows them, and resumes without before one that does not fit [R-DELTA-5] [R-DELTA-8]", async () => {
    const { asked, told, sink, follower, open, settle } = follow({ takesDeltas: true });
    expect(asked[0]?.headers).toEqual({ Accept: "text/event-stream, application/merge-patch+json;q=0.5" });
    const stream = await open();
    Object.assign(sink, { position: "m:1.1", take: () => false });
    stream.send(eventOf(change(202, { id: 1 })), eventOf(bookmark));
    await settle();
    expect(asked).toHaveLength(2);
    expect([asked[0]?.signal.aborted, asked[1]?.headers]).toEqual([
      true,
      { Accept: "text/event-stream", "Last-Event-ID": "m:1.1" },
    ]);
    expect(told).toEqual(["every undefined", "200", "lost"]);
    follower.stop();
  });

  it("takes what GETs told for nothing that it goes on from: it is live once the stream says so", async () => {
    const { asked, told, sink, follower, settle } = follow();
    Object.assign(sink, { position: "m:1.1", intervalMs: 5_000 });
    const answer = createAnswer();
    asked[0]?.answer(answer.response);
    answer.send(eventOf(bookmark));
    await settle();
    expect(told).toEqual(["lost", "every undefined", "304"]);
    follower.stop();
  });

  it("resumes where it was, after as long as the server asked for [R-STR-17]", async () => {
    const { asked, told, sink, follower, open, settle, clock } = follow();
    const stream = await open();
    Object.assign(sink, { position: "m:1.1" });
    stream.send(encodeRetry(3_000));
    stream.end();
    await settle();
    await clock.advance(2_999);
    expect([told.at(-1), asked.length]).toEqual(["lost", 1]);
    await clock.advance(1);
    expect(asked[1]?.headers).toEqual({ Accept: "text/event-stream", "Last-Event-ID": "m:1.1" });
    follower.stop();
    expect(clock.timers).toBe(0);
  });

  it("resumes after a connection that broke", async () => {
    const { asked, told, follower, open, settle, clock } = follow();
    (await open()).break();
    await settle();
    await clock.advance(1_000);
    expect([told.at(-1), asked.length]).toEqual(["lost", 2]);
    follower.stop();
  });

  it.each(["head", "first message"])("is told to be held back where no %s comes within five seconds", async (what) => {
    const { asked, told, settle, clock } = follow();
    const answer = createAnswer();
    if (what !== "head") asked[0]?.answer(answer.response);
    answer.send(new TextEncoder().encode(":\n\n"));
    await settle();
    await clock.advance(4_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect([told, asked[0]?.signal.aborted, clock.timers]).toEqual([["buffered"], true, 0]);
  });

  it("is told to be held back where nothing comes for as long as a server may be silent [R-STR-16]", async () => {
    const { told, open, settle, clock } = follow();
    const stream = await open();
    await clock.advance(silenceMs - 1);
    stream.send(new TextEncoder().encode(":\n\n"));
    await settle();
    await clock.advance(silenceMs - 1);
    expect(told).toEqual(["every undefined", "200"]);
    await clock.advance(1);
    expect([told.at(-1), clock.timers]).toEqual(["buffered", 0]);
  });

  it("is told to be held back where streams end twice without a message", async () => {
    const { asked, told, settle, clock } = follow();
    for (let round = 0; round < 2; round += 1) {
      const answer = createAnswer();
      asked[round]?.answer(answer.response);
      answer.end();
      await settle();
      await clock.advance(5_000);
    }
    expect(told).toEqual(["lost", "buffered"]);
  });

  it.each([
    ["a plain document", () => new Response("{}", { headers: { "Content-Type": "application/json" } })],
    ["a 406", () => new Response("", { status: 406 })],
    ["a stream without a body to read", () => new Response(null, { headers: { "Content-Type": "text/event-stream" } })],
  ])("says that there is none where it is answered with %s", async (_what, response) => {
    const { asked, told, settle, clock } = follow();
    asked[0]?.answer(response());
    await settle();
    expect([told, clock.timers]).toEqual([["none"], 0]);
  });

  it("says that nobody can be reached where the request fails", async () => {
    const { asked, told, settle, clock } = follow();
    asked[0]?.answer(undefined);
    await settle();
    expect([told, clock.timers]).toEqual([["unreachable"], 0]);
  });

  it("ends where it is refused, with the problem [R-STR-14]", async () => {
    const { asked, told, settle, clock } = follow();
    asked[0]?.answer(
      new Response('{"detail":"No."}', { status: 403, headers: { "Content-Type": "application/json" } }),
    );
    await settle();
    expect([told, clock.timers]).toEqual([["fail 403 No."], 0]);
  });

  it("ends by a problem that comes as a message", async () => {
    const { told, open, settle, clock } = follow();
    (await open()).send(eventOf(message(410, { detail: "It is gone." })));
    await settle();
    expect([told.at(-1), clock.timers]).toEqual(["fail 410 It is gone.", 0]);
  });

  it.each(["answer", "message"])("tries later where a 503 comes as its %s, as late as that says", async (way) => {
    const { asked, told, follower, open, settle, clock } = follow();
    const fields = { "Retry-After": "9" };
    if (way === "answer") asked[0]?.answer(new Response("", { status: 503, headers: fields }));
    else (await open()).send(eventOf(message(503, { detail: "Later." }, ["Retry-After", "9"])));
    await settle();
    await clock.advance(8_999);
    expect([told.at(-1), asked.length]).toEqual(["lost", 1]);
    await clock.advance(1);
    expect(asked.length).toBe(2);
    follower.stop();
  });

  it("asks for other credentials where those of the stream have expired, and asks again with them", async () => {
    const { asked, told, follower, open, settle, clock } = follow();
    (await open()).send(eventOf(message(401, { detail: "It has expired." })));
    await settle();
    await clock.advance(1_000);
    expect([told.slice(-2).sort(), asked.length]).toEqual([["asked for credentials", "lost"], 2]);
    follower.stop();
  });

  it("ends where what comes is no message of its name [R-STR-8]", async () => {
    const { told, open, settle, clock } = follow();
    (await open()).send(new TextEncoder().encode("event: 202\ndata: HTTP/1.1 204 No Content\ndata:\ndata:\n\n"));
    await settle();
    expect(told.at(-1)).toContain("fail 502 The client ended the stream");
    expect(clock.timers).toBe(0);
  });

  it("ignores events that are named otherwise [R-STR-8]", async () => {
    const { told, follower, open, settle } = follow();
    (await open()).send(new TextEncoder().encode("event: hello\ndata: what\n\ndata: what\n\n"));
    await settle();
    expect(told).toEqual(["every undefined", "200"]);
    follower.stop();
  });

  it("asks at once where it is woken while it waits", async () => {
    const { asked, follower, open, settle } = follow();
    (await open()).break();
    await settle();
    follower.wake();
    expect(asked.length).toBe(2);
    await open();
    follower.wake();
    expect(asked.length).toBe(2);
    follower.stop();
  });

  it.each(["it is woken", "its timer is late"])(
    "gives up a stream of before the machine slept, where %s",
    async (how) => {
      const { asked, told, follower, open, clock, sleep } = follow();
      await open();
      sleep(10 * silenceMs);
      if (how === "it is woken") follower.wake();
      else await clock.advance(silenceMs);
      expect([asked.length, told.at(-1)]).toEqual([2, "lost"]);
      follower.stop();
    },
  );

  it("is asked for anew with other credentials", async () => {
    const { asked, follower, open } = follow();
    await open();
    follower.renew();
    expect([asked[0]?.signal.aborted, asked.length]).toEqual([true, 2]);
    follower.stop();
    follower.renew();
    follower.wake();
    expect(asked.length).toBe(2);
  });

  it("asks for nothing more where whoever is told of its loss ends it", async () => {
    const { asked, sink, follower, open, settle, clock } = follow();
    const stream = await open();
    sink.lost = () => follower.stop();
    stream.break();
    await settle();
    await clock.advance(60_000);
    expect([asked.length, clock.timers]).toEqual([1, 0]);
  });
});
