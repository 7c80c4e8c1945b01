import { demand, shown, skip } from "../../fault.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { Peer } from "../peer.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** More than the server's interval, so that a sweep once a second is in time. */
const graceMs = 3_000;

/** Waits for a sign of life as long as the server may take. */
async function signOf(trial: Trial, peer: Peer, isSign: () => boolean): Promise<number> {
  const { heartbeatMs } = trial.survey;
  const start = performance.now();
  const limitMs = heartbeatMs + graceMs;
  while (!isSign() && !peer.closing) {
    const leftMs = limitMs - (performance.now() - start);
    if (leftMs <= 0) break;
    await peer.wait(leftMs);
  }
  return performance.now() - start;
}

/** Section 11. */
export const livenessCases: readonly ServerCase[] = [
  {
    requirement: "R-HB-1",
    level: 1,
    isSlow: true,
    title: "sends a 304 without Subscription and Request-ID after each silence of 20 s",
    run: async (trial) => {
      const { peer } = await trial.follow();
      const expected = `A message within ${trial.survey.heartbeatMs} ms.`;
      await signOf(trial, peer, () => peer.messages.length > 2);
      const [first] = peer.rest();
      demand(first !== undefined, expected, "None comes.");
      if (first.status < 300) skip("Somebody wrote meanwhile.");
      const isBare = fieldOf(first, "subscription") === undefined && fieldOf(first, "request-id") === undefined;
      demand(first.status === 304 && isBare, "A 304 without Subscription and Request-ID.", shown(first.text));
    },
  },
  {
    requirement: "R-HB-1",
    level: 0,
    isSlow: true,
    title: "sends a ping after each silence of 20 s",
    run: async (trial) => {
      const peer = await trial.open({ level: 0 });
      await signOf(trial, peer, () => peer.pings > 0 || peer.messages.length > 0);
      if (peer.messages.length > 0) skip("Somebody wrote meanwhile.");
      demand(peer.pings > 0, `A ping within ${trial.survey.heartbeatMs} ms.`, "None comes.");
    },
  },
  {
    requirement: "R-HB-2",
    level: 1,
    isSlow: true,
    title: "has the current position on that 304",
    run: async (trial) => {
      const { peer, position } = await trial.follow();
      if (position === "") skip("The view has no positions.");
      await signOf(trial, peer, () => peer.messages.length > 2);
      const [first] = peer.rest();
      if (!first || first.status < 300) skip("No such 304 came.");
      demand(fieldOf(first, "event-id") !== undefined, "A 304 with Event-ID.", shown(first.text));
      peer.drop();
      const given = fieldOf(first, "event-id") ?? "";
      const { opening } = await trial.follow({ fields: [["Last-Event-ID", given]] });
      demand(opening.status === 304, "A resume at that position.", shown(opening.text));
    },
  },
  {
    requirement: "R-SEC-5",
    level: 1,
    strength: "should",
    title: "sends its first message within 10 s",
    run: async (trial) => {
      const start = performance.now();
      const peer = await trial.open();
      await peer.until("A message within 10 s.");
      const tookMs = performance.now() - start;
      demand(tookMs < 10_000, "A message within 10 s.", `It takes ${Math.round(tookMs)} ms.`);
    },
  },
];
