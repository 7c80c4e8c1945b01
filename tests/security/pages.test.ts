import { describe, expect, it } from "vitest";
import { Wire } from "../proxy/setting.ts";
import { type Door, doors, handshake, other, rocket } from "./doors.ts";

interface Sent {
  readonly method?: string;
  readonly fields: readonly string[];
}

async function statusOf({ port }: Door, { method = "GET", fields }: Sent): Promise<number> {
  const length = method === "GET" || method === "HEAD" ? [] : ["Content-Length: 0"];
  const end = fields.includes("Upgrade: websocket") ? [] : ["Connection: close"];
  const wire = new Wire(port).send(`${method} /a HTTP/1.1`, "Host: localhost", ...fields, ...length, ...end, "", "");
  const answer = await wire.until(/^HTTP\/1\.1 \d{3}/);
  wire.socket.destroy();
  return Number(answer.slice(9, 12));
}

const foreign = [
  ["Sec-Fetch-Site: cross-site"],
  ["Sec-Fetch-Site: same-site"],
  ["sec-fetch-site:  Cross-Site "],
  ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
  ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none"],
  ["Origin: https://evil.example", "Sec-Fetch-Site: same-origin"],
  ["Origin: null"],
  ["Origin:"],
  ["Origin: http://localhost", "Origin: https://evil.example"],
  ["Origin: https://evil.example", "Origin: http://localhost"],
  ["Origin: http://localhost, https://evil.example"],
].map((fields) => ({ title: fields.join(" + "), fields }));

const own = [
  [],
  ["Sec-Fetch-Site: same-origin"],
  ["Sec-Fetch-Site: none"],
  ["Sec-Fetch-Site: something-new"],
  ["Sec-Fetch-Site:"],
  ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"],
  ["Origin: https://app.example", "Sec-Fetch-Site: cross-site"],
].map((fields) => ({ title: fields.join(" + ") || "nothing", fields }));

const allowOrigins = ["https://app.example"];
const unsafe = ["POST", "PUT", "PATCH", "DELETE"];

describe.each(doors)("a page at $name", ({ name, open }) => {
  const handshakes = name === "proxy" ? [rocket, other, handshake] : [rocket];
  // What an application does with requests that are not Rocket's is its own matter.
  const methods = name === "attach" ? [] : unsafe;

  it.each(foreign)(
    "is refused before anybody behind is asked where it says $title [R-SEC-1] [R-SEC-2]",
    async (page) => {
      const door = await open({ allowOrigins });
      for (const offer of handshakes) expect(await statusOf(door, { fields: [...offer, ...page.fields] })).toBe(403);
      for (const method of methods) expect(await statusOf(door, { method, fields: page.fields })).toBe(403);
      expect(door.asked).toEqual([]);
      expect(await statusOf(door, { fields: page.fields })).toBe(200);
    },
  );

  it.each(own)("is let in where it says $title [R-SEC-1] [R-SEC-2]", async (page) => {
    const door = await open({ allowOrigins });
    for (const offer of handshakes) expect(await statusOf(door, { fields: [...offer, ...page.fields] })).toBe(101);
    for (const method of methods) {
      expect(await statusOf(door, { method, fields: page.fields })).not.toBe(403);
      expect(door.asked.at(-1)?.method).toBe(method);
    }
  });
});
