import { demand } from "../../fault.ts";
import type { Stage } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";

/** Longer than any wait before a first retry, in milliseconds. */
export const soonMs = 2_000;

/** A record that is not there at the beginning. */
export const four: Row = { id: 4, name: "four" };

/** One that is, changed. */
export const two: Row = { id: 2, name: "two, changed" };

/** The first visit, opened, and taken in. @throws Skip */
export async function opened(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  visit.open();
  await stage.settle(visit.link);
  return visit;
}

/** The visit after a break, which must say where the client was. @throws Fault */
export async function resumed(stage: Stage, position: string): Promise<Visit> {
  const visit = await stage.visit(soonMs, "A request within 0.5 s and a little.");
  demand(visit.lastEventId === position, `Last-Event-ID: ${position}`, `It is ${visit.lastEventId ?? "missing"}.`);
  return visit;
}
