import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Event } from "../../src/check/wire/assembler.ts";
import { controlCases } from "./control.ts";
import { type Door, doorKinds } from "./doors.ts";
import { fragmentCases } from "./fragments.ts";
import { framingCases } from "./framing.ts";
import type { FrameCase, Outcome } from "./sample.ts";
import { utf8Cases } from "./utf8.ts";
import { FrameWire } from "./wires.ts";

const cases = [...framingCases, ...fragmentCases, ...controlCases, ...utf8Cases];

const isAnswer = (event: Event) =>
  event.kind === "message" && /^request-id: r\r$/im.test(event.bytes.toString("latin1"));

/** What came, in the words of the table; what should not have come with it makes it another. */
async function cameOf(wire: FrameWire, { frames, late = [], outcome }: FrameCase): Promise<Outcome> {
  wire.send(...frames, ...late);
  if (outcome.kind === "ignored") return (await wire.fence()) ? { kind: "ignored" } : { kind: "closed", code: 1006 };
  const { kind } = outcome;
  if (kind === "pong") {
    const found = await wire.until(
      (event) => event.kind === "close" || (event.kind === "pong" && event.payload.equals(outcome.payload)),
    );
    return found?.kind === "pong" ? { kind, payload: found.payload } : { kind: "closed", code: 1006 };
  }
  const found = await wire.until((event) => event.kind === "close" || isAnswer(event));
  if (found?.kind !== "close") return found ? { kind: "answered" } : { kind: "closed", code: 1006 };
  await wire.ended();
  return { kind: "closed", code: found.code };
}

/** What must never come, whatever was sent: a frame that is wrong, or one behind the close. */
function flawsOf({ events }: FrameWire): string[] {
  return events.flatMap(({ flaws }) => flaws.map(({ what }) => what));
}

describe.each(doorKinds)("$name, given", ({ open }) => {
  let door: Door;
  let bystander: FrameWire;

  beforeAll(async () => {
    door = await open();
    bystander = await FrameWire.open(door.port);
  });

  afterAll(async () => {
    bystander.drop();
    await door.close();
  });

  it.each(cases.map((one) => [one.what, one.section, one] as const))(
    "%s (RFC 6455 §%s), does what the table says, and serves others [R-SEC-4]",
    async (_what, _section, one) => {
      const wire = await FrameWire.open(door.port);
      expect(await cameOf(wire, one)).toEqual(one.outcome);
      expect(flawsOf(wire)).toEqual([]);
      const afterClose = wire.events.slice(wire.events.findIndex(({ kind }) => kind === "close"));
      if (one.outcome.kind === "closed") expect(afterClose).toHaveLength(1);
      wire.drop();
      expect(await bystander.fence()).toBe(true);
    },
  );
});

describe("the tables", () => {
  it("have at least 200 different cases", () => {
    expect(new Set(cases.map(({ section, what }) => `${section} ${what}`)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThanOrEqual(200);
  });
});
