import { describe, expect, it } from "vitest";
import { encodeRequest, fieldValue } from "../../src/protocol/index.ts";
import { about, answers, dial, dialRaw, handshake, isWell, startSite } from "./fixture.ts";

const never = () => new Promise<never>(() => {});

function request(method: string, target: string, id: string): string {
  return String(encodeRequest({ method, target, fields: [["Request-ID", id]] }));
}

describe("a WebSocket at a resource's URL", () => {
  it("offering rocket.v1 has it echoed, alone, and gets 200, 304, and changes [R-L1-1] [R-SUB-1]", async () => {
    const site = await startSite();
    site.put(1);
    const client = await dial(site, "/a", { protocols: ["other", "rocket.v1"] });
    await client.until(({ status }) => status === 304);
    site.put(2);
    await client.until(about("/a/2"));
    expect(client.protocol).toBe("rocket.v1");
    expect(client.messages.map(({ status }) => status)).toEqual([200, 304, 201]);
  });

  it("without a subprotocol is at Level 0, byte for byte the proposal's [R-L0-1] [R-L0-2]", async () => {
    const site = await startSite();
    const client = await dial(site, "/a", { protocols: [] });
    site.put(1);
    site.put(1, { n: 2 });
    site.store.transaction((writer) => writer.remove("a", 1));
    await client.until(({ status }) => status === 204);
    expect(client.protocol).toBe("");
    expect(client.texts).toEqual([
      'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n{"record":{"id":1}}',
      'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n{"record":{"id":1,"n":2}}',
      "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nContent-Location: /a/1\r\n\r\n",
    ]);
  });

  it("at Level 0 takes any data and ignores it [R-L0-5]", async () => {
    const site = await startSite();
    const client = await dial(site, "/a", { protocols: [] });
    client.socket.send(request("SUBSCRIBE", "/b", "1"));
    client.socket.send("garbage");
    client.socket.send(Buffer.from([0, 255]));
    const pong = new Promise((resolve) => client.socket.once("pong", resolve));
    client.socket.ping();
    await pong;
    site.put(1);
    await client.until(about("/a/1"));
    expect(client.messages).toHaveLength(1);
  });

  it("offering only what the server does not know has no subprotocol echoed [R-L1-2]", async () => {
    const site = await startSite();
    const raw = await dialRaw(site, handshake(site, "/a", ["Sec-WebSocket-Protocol: graphql-ws, chat"]));
    const head = await raw.until(/\r\n\r\n/);
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.toLowerCase()).not.toContain("sec-websocket-protocol");
    expect(head.toLowerCase()).not.toContain("sec-websocket-extensions");
  });

  it("with a bearer subprotocol has the token as Authorization, and it is not echoed [R-SEC-3]", async () => {
    const seen: (string | undefined)[] = [];
    const site = await startSite({}, (origin) => (asked) => {
      seen.push(fieldValue(asked.fields, "authorization"));
      return origin(asked);
    });
    const token = Buffer.from("s3cret").toString("base64url");
    const both = await dial(site, "/a", { protocols: ["rocket.v1", `rocket.bearer.${token}`] });
    await both.until(({ status }) => status === 200);
    const own = { Authorization: "Bearer own" };
    const fieldWins = await dial(site, "/a", { protocols: ["rocket.v1", `rocket.bearer.${token}`], headers: own });
    await fieldWins.until(({ status }) => status === 200);
    const raw = await dialRaw(site, handshake(site, "/a", [`Sec-WebSocket-Protocol: rocket.bearer.${token}`]));
    const head = await raw.until(/\r\n\r\n/);
    const malformed = await dial(site, "/a", { protocols: ["rocket.v1", "rocket.bearer.AAAA"] });
    await malformed.until(({ status }) => status === 200);
    expect(both.protocol).toBe("rocket.v1");
    expect(head).not.toContain(token);
    expect(seen).toEqual(["Bearer s3cret", "Bearer own", "Bearer s3cret", undefined]);
  });

  it("that is refused gets the origin's status before the 101 at Level 0 [R-L0-4]", async () => {
    const site = await startSite({}, (origin) => async (asked) => {
      if (asked.target === "/moved") return { status: 307, fields: [["Location", "/a"]], body: "" };
      if (asked.target !== "/private") return origin(asked);
      return { status: 401, fields: [["WWW-Authenticate", "Bearer"]], body: "" };
    });
    await expect(dial(site, "/nothing", { protocols: [] })).rejects.toThrow("refused with 404");
    const raw = await dialRaw(site, handshake(site, "/private"));
    const answer = await raw.ended;
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(answer).toMatch(/\r\nWWW-Authenticate: Bearer\r\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(answer).toMatch(/\r\n\r\n\{"type":"about:blank","title":"Unauthorized","status":401,/);
    const moved = await (await dialRaw(site, handshake(site, "/moved"))).ended;
    expect(moved).toMatch(/^HTTP\/1\.1 307 [\s\S]*\r\nLocation: \/a\r\n/);
    await expect(dial(site, "/.well-known/rocket", { protocols: [] })).rejects.toThrow("refused with 400");
  });

  it("that is refused gets the problem in band at Level 1, then the close [R-L1-5] [R-L1-6]", async () => {
    const site = await startSite({}, (origin) => async (asked) => {
      if (asked.target === "/moved") return { status: 308, fields: [["Location", "/a"]], body: "" };
      return origin(asked);
    });
    const client = await dial(site, "/nothing");
    expect(await client.closed).toBe(4404);
    expect(client.messages.map(({ status }) => status)).toEqual([404]);
    const moved = await dial(site, "/moved");
    expect(await moved.closed).toBe(4308);
    expect(moved.messages.map(({ fields }) => fieldValue(fields, "location"))).toEqual(["/a"]);
  });

  it("whose refusal can't be written as HTTP is a 500, and injects nothing [R-SEC-4]", async () => {
    const site = await startSite({}, () => async () => ({
      status: 401,
      fields: [["WWW-Authenticate", "a\r\nSet-Cookie: b=c"]],
      body: "",
    }));
    const answer = await (await dialRaw(site, handshake(site, "/a"))).ended;
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).not.toContain("Set-Cookie");
  });

  it("resumes exactly after its last position on a new connection [R-RES-1]", async () => {
    const site = await startSite();
    const first = await dial(site, "/a");
    await first.until(({ status }) => status === 304);
    site.put(1);
    const { fields } = await first.until(about("/a/1"));
    first.socket.terminate();
    await first.closed;
    site.put(2);
    site.put(3);
    const second = await dial(site, "/a", { headers: { "Last-Event-ID": fieldValue(fields, "event-id") ?? "" } });
    await second.until(about("/a/3"));
    expect(second.messages.map(({ status }) => status).slice(0, 3)).toEqual([304, 201, 201]);
  });

  it("serves SUBSCRIBE and UNSUBSCRIBE at the well-known URL [R-WK-2] [R-BAND-1]", async () => {
    const site = await startSite();
    const client = await dial(site, "/.well-known/rocket");
    client.socket.send(request("SUBSCRIBE", "/a", "1"));
    client.socket.send(Buffer.from(request("UNSUBSCRIBE", "/a", "2")));
    expect((await client.until(answers("2"))).status).toBe(204);
    expect((await client.until(answers("1"))).status).toBe(200);
    expect(client.messages[0]?.status).toBe(200);
  });

  it("beyond the number of connections is a 503 with Retry-After before the 101, at both levels [R-SEC-5]", async () => {
    const site = await startSite({ limits: { maxConnections: 1 } });
    const client = await dial(site, "/a");
    await client.until(({ status }) => status === 304);
    await expect(dial(site, "/a")).rejects.toThrow("refused with 503");
    const answer = await (await dialRaw(site, handshake(site, "/a"))).ended;
    expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 5\r\n/);
    client.socket.close();
    await client.closed;
    await expect.poll(() => site.rocket.hub.counts.connections).toBe(0);
    await expect.poll(() => isWell(site)).toBe(true);
  });

  it("counts handshakes that wait for the origin as connections [R-SEC-5]", async () => {
    let asked = 0;
    const site = await startSite({ limits: { maxConnections: 1 } }, () => () => {
      asked += 1;
      return never();
    });
    const waiting = await dialRaw(site, handshake(site, "/a"));
    await expect.poll(() => asked).toBe(1);
    await expect(dial(site, "/a")).rejects.toThrow("refused with 503");
    waiting.socket.resetAndDestroy();
    await expect
      .poll(async () =>
        dial(site, "/a")
          .then(() => true)
          .catch(() => false),
      )
      .toBe(true);
  });

  it("whose origin never answers ends with 504 in bounded time, at both levels [R-SEC-5]", async () => {
    const site = await startSite({ limits: { originTimeoutMs: 50 } }, () => never);
    const client = await dial(site, "/a");
    expect(await client.closed).toBe(4504);
    await expect(dial(site, "/a", { protocols: [] })).rejects.toThrow("refused with 504");
  });

  it("is 400 where the handshake is no handshake, and the origin's refusal is not told", async () => {
    const site = await startSite();
    const bad = handshake(site, "/a").replace("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12");
    expect(await (await dialRaw(site, bad)).ended).toMatch(/^HTTP\/1\.1 (400|426) /);
    const post = handshake(site, "/a").replace("GET ", "POST ");
    expect(await (await dialRaw(site, post)).ended).toMatch(/^HTTP\/1\.1 405 /);
    expect(await isWell(site)).toBe(true);
  });
});

describe("a reader over a real socket", () => {
  it("that does not read is parked, and gets all of it in order when it does [R-SUB-12]", async () => {
    const site = await startSite();
    const slow = await dial(site, "/a");
    await slow.until(({ status }) => status === 304);
    slow.socket.pause();
    const fast = await dial(site, "/a");
    await fast.until(({ status }) => status === 304);
    const text = "x".repeat(10_000);
    for (let id = 1; id <= 2_000; id += 1) {
      site.put(id, { text });
      if (id % 50 === 0) await fast.until(about(`/a/${id}`));
    }
    slow.socket.resume();
    await slow.until(about("/a/2000"));
    const urls = slow.messages.flatMap(({ fields }) => fieldValue(fields, "content-location") ?? []);
    expect(urls).toEqual(Array.from({ length: 2_000 }, (_, at) => `/a/${at + 1}`));
    site.put(2_001);
    await slow.until(about("/a/2001"));
  });

  it("with a small bound is woken again though the socket takes more [R-SUB-12]", async () => {
    const site = await startSite({ limits: { maxUnsentBytes: 1_024 } });
    const client = await dial(site, "/a");
    for (let id = 1; id <= 200; id += 1) site.put(id, { text: "x".repeat(3_000) });
    await client.until(about("/a/200"));
    const urls = client.messages.flatMap(({ fields }) => fieldValue(fields, "content-location") ?? []);
    expect(urls).toEqual(Array.from({ length: 200 }, (_, at) => `/a/${at + 1}`));
  });
});
