import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestDocument, sha256 } from "../../../src/server/derived/digest.ts";
import { Documents, type Hold, type Taken } from "../../../src/server/derived/documents.ts";
import { AppWorld, briefs, cookie, json } from "./fixture.ts";

const mib = 1024 ** 2;

function holdOf(taken: Taken | Promise<Taken>): Hold {
  if (typeof taken === "number" || taken instanceof Promise) throw new Error(`refused with ${taken}`);
  return taken;
}

describe("Documents", () => {
  const place = { target: "/a", authority: "h" };
  const text = (body: string) => ({ status: 200, fields: [["Content-Type", "text/plain"]] as const, body });

  it("that are equal are kept once, whoever holds them, and go when nobody does", () => {
    const documents = new Documents(3_000, sha256, setImmediate);
    const holds = ["a", "b", "a"].map((owner) => holdOf(documents.take(owner, place, text("x".repeat(900)))));
    expect(new Set(holds.map(({ document }) => document)).size).toBe(1);
    expect(documents.bytes).toBe(900);
    for (const hold of holds) hold.release();
    expect(documents.bytes).toBe(0);
  });

  it("are refused with 503 beyond what all may have, and with 429 beyond a third of it for one viewer", () => {
    const documents = new Documents(3_000, sha256, setImmediate);
    const bodies = ["a", "b", "c", "d"].map((letter) => text(letter.repeat(900)));
    const first = holdOf(documents.take("anna", place, bodies[0] as never));
    expect(documents.take("anna", place, bodies[1] as never)).toBe(429);
    holdOf(documents.take("ben", place, bodies[1] as never));
    holdOf(documents.take("", place, bodies[2] as never));
    expect(documents.take("cleo", place, bodies[3] as never)).toBe(503);
    first.release();
    holdOf(documents.take("cleo", place, bodies[3] as never));
  });

  it("of many small rows count with what the rows cost", async () => {
    const documents = new Documents(mib, sha256, setImmediate);
    const rows = JSON.stringify(Array.from({ length: 9_000 }, (_, id) => ({ id })));
    expect(rows.length).toBeLessThan(mib / 3);
    const answer = { status: 200, fields: [["Content-Type", "application/json"]] as const, body: rows };
    expect(await documents.take("anna", { target: "/a", authority: "h" }, answer)).toBe(429);
    expect(documents.bytes).toBe(0);
  });
});

describe("A follower", () => {
  const big = (letter: string) => ({ status: 200, fields: [["Content-Type", "text/plain"]] as const, body: letter });

  it("is refused with Retry-After where there is no room for its document [R-SEC-5]", async () => {
    const world = new AppWorld(({ target }) => big(target.repeat(40_000)), {
      derived: { maxTotalDocumentBytes: mib },
    });
    const anna = await world.opened("/.well-known/rocket", [cookie("anna")]);
    for (const [at, name] of ["a", "b"].entries()) {
      anna.request("SUBSCRIBE", `/${name}items`, [["Request-ID", `${at}`]]);
      await world.clock.settle();
    }
    expect(briefs(anna, 1)).toEqual(["200 sub=/aitems", "304 sub=/aitems", "429"]);
    expect(anna.messages.at(-1)?.fields.some(([name]) => name === "Retry-After")).toBe(true);
    expect(anna.closing).toBeUndefined();
    for (const user of ["benno", "clara"]) await world.opened(`/a-${user}`, [cookie(user)]);
    const late = await world.opened("/a-dora", [cookie("dora")]);
    expect(late.messages[0]?.status).toBe(503);
    expect(late.closing?.code).toBe(4503);
  });

  it("of a document that outgrows what there is room for is ended with 429, and comes back when it is small", async () => {
    let length = 1_000;
    const world = new AppWorld(() => big("x".repeat(length)), { derived: { maxTotalDocumentBytes: mib } });
    const anna = await world.opened("/items", [cookie("anna")]);
    length = mib;
    await world.changed("/items");
    expect(anna.closing?.code).toBe(4429);
    await world.clock.advance(5_000);
    expect(world.hub.counts.views).toBe(0);
    length = 2_000;
    const again = await world.opened("/items", [cookie("anna")]);
    expect(again.messages[0]?.status).toBe(200);
  });

  it("of one document under 300 queries costs it once", async () => {
    const world = new AppWorld(() => json([{ id: 1, text: "x".repeat(300_000) }]), {
      derived: { maxTotalDocumentBytes: mib },
      limits: { maxSubscriptions: 400 },
    });
    const anna = await world.opened("/.well-known/rocket", [cookie("anna")]);
    anna.pause();
    anna.resume();
    for (let query = 0; query < 300; query += 1) {
      anna.request("SUBSCRIBE", `/items?x=${query}`, [["Request-ID", `r${query}`]]);
      await world.clock.settle();
    }
    const statuses = anna.messages.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toEqual([]);
    expect(world.hub.counts.views).toBe(300);
  });
});

describe("A document's digest", () => {
  it("is SHA-256's, on the platform's own implementation as on the portable one [R-POS-8]", () => {
    const own = (data: string | Uint8Array) => createHash("sha256").update(data).digest();
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 300 })), (body) => {
        expect(digestDocument(own, { contentType: "a/b", body: body })).toBe(
          digestDocument(sha256, { contentType: "a/b", body: body }),
        );
      }),
    );
    const head = Buffer.from("text application/json\n");
    const expected = own(Buffer.concat([head, own("[]")]));
    expect(digestDocument(sha256, { contentType: "application/json", body: "[]" })).toBe(
      expected.toString("hex").slice(0, 40),
    );
  });

  it("differs where the type, the kind or one bit of the body does", () => {
    const digests = [
      digestDocument(sha256, { contentType: "a/b", body: "x" }),
      digestDocument(sha256, { contentType: "a/c", body: "x" }),
      digestDocument(sha256, { contentType: "a/b", body: "y" }),
      digestDocument(sha256, { contentType: "a/b", body: Buffer.from("x") }),
      digestDocument(sha256, { contentType: "a/b\nx", body: "" }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});
