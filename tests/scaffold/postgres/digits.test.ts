import { describe, expect, it } from "vitest";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

describe("A number in a body", () => {
  it("is stored with all of its digits, or refused: PostgreSQL would round it", async () => {
    const { send, errors } = await serve(
      server,
      `CREATE DOMAIN price AS numeric(6,2);
      CREATE TABLE t (id int PRIMARY KEY, n numeric, n2 numeric(10,2), n0 numeric(5), m numeric(3,-2), d price, a numeric(5,2)[], r real, f float8);
      INSERT INTO t (id) VALUES (1)`,
    );
    const put = async (member: string, json: string) => {
      const { status, text } = await send("PATCH", "/t/1", `{"${member}":${json}}`, {
        "Content-Type": "application/json",
      });
      return status === 200
        ? (/"t":(\{.*\})\}/
            .exec(text)?.[1]
            ?.split(`"${member}":`)[1]
            ?.split(/,"|\}$/)[0] ?? text)
        : status;
    };
    const kept: [string, string, string][] = [
      ["n", "1.0050000000000000001", '"1.0050000000000000001"'],
      ["n2", "1.01", "1.01"],
      ["n2", "1.500", "1.50"],
      ["n2", '"+.5"', "0.50"],
      ["n2", "12e1", "120.00"],
      ["n2", "0.000", "0.00"],
      ["n0", "3.0", "3"],
      ["m", "1200", "1200"],
      ["d", "9.99", "9.99"],
      ["a", "[1.25,null]", "[1.25,null]"],
      ["r", "0.1", "0.1"],
      ["r", "16777216", "1.6777216e+07"],
      ["r", "3.4028235e38", "3.4028235e+38"],
      ["f", "0.1", "0.1"],
      ["f", '"-Infinity"', '"-Infinity"'],
    ];
    for (const [member, json, shown] of kept)
      expect([member, json, await put(member, json)]).toEqual([member, json, shown]);
    const lossy: [string, string][] = [
      ["n2", "1.005"],
      ["n2", '"1.005"'],
      ["n2", "1e-3"],
      ["n0", "2.5"],
      ["m", "1250"],
      ["d", "1.005"],
      ["a", "[1.005]"],
      ["r", "16777217"],
      ["r", "0.1234567890123"],
      ["f", '"123456789012345678"'],
      ["f", "0.12345678901234567890123"],
    ];
    for (const [member, json] of lossy) expect([member, json, await put(member, json)]).toEqual([member, json, 422]);
    const refused = await send("POST", "/t", { id: 2, n2: 1.005 });
    expect(refused.json).toMatchObject({
      errors: [{ field: "n2", detail: "Digits of this number would be lost: this column can't hold it." }],
    });
    expect(errors).toEqual([]);
  });
});
