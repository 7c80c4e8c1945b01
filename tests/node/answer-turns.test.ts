import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { AnswerTurns } from "../../src/node/answer-turns.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { startSite } from "./fixture.ts";

/** Responses that wait for their turn, and which of them have had it. */
async function start(count: number) {
  const clock = createFakeClock();
  const turns = new AnswerTurns(clock);
  const responses = Array.from({ length: count }, () => new EventEmitter() as ServerResponse);
  const taken: number[] = [];
  for (const [at, response] of responses.entries()) void turns.take(response).then(() => taken.push(at));
  await clock.settle();
  const close = async (at: number): Promise<void> => {
    responses[at]?.emit("close");
    await clock.settle();
  };
  return { clock, close, taken, turns };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe("Answers that one change makes due", () => {
  it("are made 64 at a time, the others in the order of their coming as those end", async () => {
    const { close, taken } = await start(70);
    expect(taken).toEqual(upTo(64));
    await close(3);
    await close(3);
    expect(taken).toEqual(upTo(65));
    for (const at of upTo(70)) await close(at);
    expect(taken).toEqual(upTo(70));
  });

  it("keep no others waiting for more than a second", async () => {
    const { clock, taken } = await start(130);
    await clock.advance(999);
    expect(taken.length).toBe(64);
    await clock.advance(1);
    expect(taken.length).toBe(128);
    await clock.advance(1_000);
    expect(taken).toEqual(upTo(130));
  });

  it("leave all places free when they are over", async () => {
    const { close, taken, turns } = await start(64);
    for (const at of upTo(64)) await close(at);
    const responses = Array.from({ length: 64 }, () => new EventEmitter() as ServerResponse);
    await Promise.all(responses.map((response) => turns.take(response)));
    expect(taken.length).toBe(64);
  });
});

describe("Many GETs that wait for one change", () => {
  it("are all answered, and no more than 64 are asked for at a time", async () => {
    let [asking, most, isCounting] = [0, 0, false];
    const site = await startSite({}, (origin) => async (request) => {
      if (request.method !== "GET" || !isCounting) return origin(request);
      asking += 1;
      most = Math.max(most, asking);
      for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      asking -= 1;
      return origin(request);
    });
    site.put(1, { name: "Can" });
    const headers = { Prefer: "wait=20", "Last-Event-ID": site.store.journal.head.eventId };
    const polls = upTo(150).map(() => fetch(`${site.url}/a`, { headers }));
    while (site.rocket.hub.counts.connections < 150) await new Promise<void>((resolve) => setImmediate(resolve));
    isCounting = true;
    site.put(1, { name: "CAN" });
    const answers = await Promise.all(polls);
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(most).toBeLessThanOrEqual(64);
  });
});
