import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldValue } from "../../src/check/wire/http.ts";
import { type Door, doorKinds } from "./doors.ts";
import { type HandshakeCase, handshakeCases } from "./handshakes.ts";
import { ask, FrameWire, handshakeFields } from "./wires.ts";

const path = "/.well-known/rocket";

/** What came of a handshake, in the words of the table. */
async function cameOf(port: number, one: HandshakeCase): Promise<string> {
  const { replaced = {}, method = "GET", version = "HTTP/1.1", more = [] } = one;
  const own = handshakeFields(port).flatMap(([name, value]) => {
    return (replaced[name] ?? [value]).map((other) => [name, other] as const);
  });
  const { wire, answer } = await ask(port, `${method} ${path} ${version}`, [...own, ...more]);
  wire.destroy();
  if (answer?.status !== 101) return answer && answer.status < 400 ? "plain" : "refused";
  const extension = fieldValue(answer.fields, "sec-websocket-extensions");
  const protocol = fieldValue(answer.fields, "sec-websocket-protocol");
  return extension === undefined && protocol === "rocket.v1" ? "accepted" : `${extension} ${protocol}`;
}

describe.each(doorKinds)("$name, given a handshake with", ({ open }) => {
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

  it.each(handshakeCases.map((one) => [one.what, one.section, one] as const))(
    "%s (RFC 6455 §%s), does what the table says, and serves others [R-SEC-4]",
    async (_what, _section, one) => {
      const came = await cameOf(door.port, one);
      expect(one.outcome === "not taken" && came !== "accepted" ? one.outcome : came).toBe(one.outcome);
      expect(await bystander.fence()).toBe(true);
    },
  );
});
