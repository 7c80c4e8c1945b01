import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { wellKnownPath } from "../../src/protocol/index.ts";
import { Conversation } from "./conversation.ts";
import { httpPeers } from "./http-peers.ts";
import { wsPeer } from "./node-peers.ts";
import { type Artist, serve, startPlace } from "./places.ts";

const json = { "Content-Type": "application/json" };

for (const { name, missing } of httpPeers) {
  if (missing !== "") console.log(`The requests of ${name} are skipped: ${missing}.`);
}

describe.each(httpPeers.filter(({ missing }) => missing === ""))("$name", ({ ask }) => {
  it.each(["serve", "attach", "proxy"] as const)("reads, adds, changes and removes at %s", async (kind) => {
    const { url } = await startPlace[kind]();
    const list = async () => (JSON.parse(String((await ask(`${url}/artists`)).body)) as { artists: Artist[] }).artists;
    const made = await ask(`${url}/artists`, { method: "POST", headers: json, body: '{"name":"Mötley Crüe"}' });
    expect([made.status, made.headers.get("location")]).toEqual([201, "/artists/4"]);
    const changed = await ask(`${url}/artists/1`, { method: "PATCH", headers: json, body: '{"name":"CAN"}' });
    expect([changed.status, JSON.parse(String(changed.body)).artist.name]).toEqual([200, "CAN"]);
    const removed = await ask(`${url}/artists/2`, { method: "DELETE" });
    expect([removed.status, removed.body.length]).toEqual([204, 0]);
    expect((await list()).map(({ name }) => name)).toEqual(["CAN", "Low", "Mötley Crüe"]);
    const head = await ask(`${url}/artists`, { method: "HEAD" });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await ask(`${url}/artists/2`)).status).toBe(404);
  });

  it("is told where a list has its rows, and a position that a subscription begins at [R-FLD-2] [R-POS-3]", async () => {
    const place = await serve();
    const { headers } = await ask(`${place.url}/artists`);
    expect(headers.get("items")).toBe('list="/artists", record="/artist", url="/artists/{id}"');
    const added = await place.add("Faust");
    const fields = { "Last-Event-ID": headers.get("event-id") ?? "" };
    const follower = new Conversation(wsPeer(), place.socketUrl("/artists"), { fields });
    await follower.about(added, 201);
    expect(follower.messages[0]?.status).toBe(304);
  });

  it("guards a write by the tag of a compressed answer and by that of a plain one [R-FLD-11]", async () => {
    const place = await serve();
    await place.rename("/artists/1", "Can".repeat(1_000));
    const url = `${place.url}/artists/1`;
    const plain = await ask(url);
    const coded = await ask(url, { headers: { "Accept-Encoding": "gzip" } });
    expect(coded.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(coded.body)).toEqual(plain.body);
    const [tag = "", codedTag = ""] = [plain, coded].map(({ headers }) => headers.get("etag"));
    expect(tag).not.toBe(codedTag);
    for (const one of [tag, codedTag]) {
      const again = await ask(url, { headers: { "If-None-Match": one, "Accept-Encoding": "gzip" } });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    const write = (name: string) =>
      ask(url, { method: "PATCH", headers: { ...json, "If-Match": codedTag }, body: JSON.stringify({ name }) });
    expect((await write("CAN")).status).toBe(200);
    const refused = await write("Inner Space");
    expect([refused.status, refused.headers.get("content-type")]).toEqual([412, "application/problem+json"]);
  });

  it("repeats a write with its key, and it is done once [R-WK-1] [R-WK-4]", async () => {
    const place = await serve();
    const { rocket } = JSON.parse(String((await ask(place.url + wellKnownPath)).body));
    expect(rocket.promises).toEqual(expect.arrayContaining(["journal", "idempotency-key"]));
    const headers = { ...json, "Idempotency-Key": '"k-1"' };
    const write = () => ask(`${place.url}/artists`, { method: "POST", headers, body: '{"name":"Faust"}' });
    const [first, second] = [await write(), await write()];
    const shown = ({ status, headers, body }: typeof first) => [status, headers.get("event-id"), String(body)];
    expect(shown(second)).toEqual(shown(first));
    expect(await place.list()).toHaveLength(4);
  });
});
