import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { Follower } from "../proxy/follower.ts";
import { proxied, proxy, type TestProxy, upstream, Wire } from "../proxy/setting.ts";
import { type Asked, doors, other, rocket, valuesOf } from "./doors.ts";

/** An API that notes what it is asked. */
function noting(asked: Asked[]): RequestListener {
  return ({ method = "", url = "", rawHeaders }, response) => {
    const fields = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : []));
    asked.push({ method, target: url, fields });
    response.setHeader("Content-Type", "application/json");
    response.end("[]");
  };
}

/** Sends a request and gives what the upstream got of it. */
async function passed(
  options: Parameters<typeof proxied>[1],
  ...fields: readonly string[]
): Promise<{ plain: Asked; followed: Asked }> {
  const asked: Asked[] = [];
  const { port } = await proxied(noting(asked), options);
  const wire = new Wire(port).send("GET /a HTTP/1.1", "Host: localhost", ...fields, "", "");
  await wire.until(/^HTTP\/1\.1 200/);
  new Wire(port).send("GET /a HTTP/1.1", "Host: localhost", ...rocket.slice(1), ...merged(fields), "", "");
  await expect.poll(() => asked.length).toBeGreaterThan(1);
  const [plain, followed] = asked;
  if (!plain || !followed) throw new Error("Nothing was asked.");
  return { plain, followed };
}

/** The fields with `upgrade` among what `Connection` names. */
function merged(fields: readonly string[]): string[] {
  const named = fields.filter((field) => /^connection:/i.test(field)).map((field) => `, ${field.slice(11)}`);
  return [`Connection: Upgrade${named.join("")}`, ...fields.filter((field) => !/^connection:/i.test(field))];
}

function namesOf({ fields }: Asked): string[] {
  return fields.map(([name]) => name.toLowerCase());
}

describe.each(doors)("a subscription at $name", ({ open }) => {
  it("has no field that Connection named, in whatever field and spelling [R-SEC-9]", async () => {
    const door = await open();
    const named = ["Connection: x-one ,X-TWO,,", "X-One: 1", "x-two: 2", "X-One: 3", "X-Kept: 4", "CONNECTION: x-four"];
    const lines = ["GET /a HTTP/1.1", "Host: localhost", ...rocket, ...named, "X-Four: 5", "X-Onefold: 6", "", ""];
    const wire = new Wire(door.port).send(...lines);
    await wire.until(/^HTTP\/1\.1 101/);
    await expect.poll(() => door.asked.length).toBeGreaterThan(0);
    for (const asked of door.asked) {
      const names = namesOf(asked);
      expect(names).toEqual(expect.arrayContaining(["x-kept", "x-onefold"]));
      expect(names.filter((name) => /^(?:x-(?:one|two|four)|connection)$/.test(name) && name !== "connection")).toEqual(
        [],
      );
    }
  });

  it("keeps what a proxy in front says of the client, whatever Connection names [R-SEC-9]", async () => {
    const door = await open();
    const front = ["X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 front"];
    const named = "Connection: X-Forwarded-For, X-Real-IP, Forwarded, Via, Host";
    new Wire(door.port).send("GET /a HTTP/1.1", "Host: localhost", ...rocket, named, ...front, "", "");
    await expect.poll(() => door.asked.length).toBeGreaterThan(0);
    for (const asked of door.asked) {
      expect(valuesOf(asked, "host")).toEqual(["localhost"]);
      expect(valuesOf(asked, "via").join()).toContain("1.1 front");
      // An untrusting proxy says by itself who asks; all others hand on what the front has said.
      expect(valuesOf(asked, "x-forwarded-for")).not.toEqual([]);
    }
  });
});

describe("the proxy's upstream", () => {
  it.each([
    "X_Forwarded_For",
    "x_forwarded-for",
    "X-Forwarded_Host",
    "X.Forwarded.Proto",
    "X~Forwarded~For",
    "X_Real_IP",
    "Proxy",
    "Proxy_Authorization",
    "Transfer_Encoding",
    "Content_Length",
    "Content_Type",
    "Keep_Alive",
    "Sec_Fetch_Site",
    "Http2_Settings",
  ])("gets no %s, which it might take for a field that the proxy drops or sets", async (name) => {
    for (const trustForwarded of [false, true]) {
      const { plain, followed } = await passed({ trustForwarded }, `${name}: 192.0.2.66`, "My_Own: 1");
      for (const asked of [plain, followed]) {
        expect(JSON.stringify(asked.fields)).not.toContain("192.0.2.66");
        expect(valuesOf(asked, "x-forwarded-for")).toEqual(["127.0.0.1"]);
        expect(valuesOf(asked, "my_own")).toEqual(["1"]);
      }
    }
  });

  it("hears of the client by a trusted proxy in front even where Connection names its fields", async () => {
    const front = ["X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.2", "X-Forwarded-Host: app.example"];
    const named = "Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Host";
    const { plain, followed } = await passed({ trustForwarded: true }, ...front, named);
    for (const asked of [plain, followed]) {
      expect(valuesOf(asked, "x-forwarded-for")).toEqual(["192.0.2.1, 127.0.0.1"]);
      expect(valuesOf(asked, "x-real-ip")).toEqual(["192.0.2.2"]);
      expect(valuesOf(asked, "x-forwarded-host")).toEqual(["app.example"]);
    }
  });
});

describe("credentials that count for a connection", () => {
  const credentials = [
    "Authorization: NTLM TlRMTVNTUAAB",
    "authorization:  negotiate YII=",
    "Authorization: Kerberos YII=",
    "Authorization: Nego2 YII=",
    "Authorization: NTLM",
  ];

  async function start(): Promise<TestProxy & { readonly asked: Asked[] }> {
    const asked: Asked[] = [];
    const { url } = await upstream(noting(asked));
    return { ...(await proxy(url)), asked };
  }

  it.each(credentials)("never reach a connection that others use: %s is a 501, with the reason", async (field) => {
    const { port, asked } = await start();
    for (const fields of [[field], ["Authorization: Basic YTpi", field], ["Expect: 100-continue", field]]) {
      const wire = new Wire(port).send("GET /a HTTP/1.1", "Host: localhost", ...fields, "Connection: close", "", "");
      const answer = await wire.ended();
      expect(answer).toMatch(/^HTTP\/1\.1 501 /);
      expect(answer).toContain("authenticate a connection");
    }
    const tunnel = new Wire(port).send("GET /a HTTP/1.1", "Host: localhost", ...other, field, "", "");
    expect(await tunnel.ended()).toMatch(/^HTTP\/1\.1 501 /);
    expect(asked).toEqual([]);
  });

  it("are refused to subscriptions, by their handshake and in band, and others go on", async () => {
    const { url, asked } = await start();
    const handshake = new Follower(`${url}/a`, ["rocket.v1"], { Authorization: "NTLM TlRMTVNTUAAB" });
    expect((await handshake.first(1))[0]).toMatch(/^HTTP\/1\.1 501 /);
    expect(asked).toEqual([]);
    const follower = await new Follower(`${url}/a`, ["rocket.v1"], { Authorization: "Bearer a" }).caughtUp();
    follower.socket.send("SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: 1\r\nAuthorization: Negotiate YII=\r\n\r\n");
    expect((await follower.first(3))[2]).toMatch(/^HTTP\/1\.1 501 /);
    expect(asked.map(({ target }) => target)).toEqual(["/a"]);
  });

  it("are told from schemes that only begin alike", async () => {
    const { port } = await start();
    for (const scheme of ["NTLMx a", "Bearer NTLM", "Basic negotiate"]) {
      const lines = ["GET /a HTTP/1.1", "Host: localhost", `Authorization: ${scheme}`, "Connection: close", "", ""];
      expect(await new Wire(port).send(...lines).ended()).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});
