import { describe, expect, it } from "vitest";
import { runNode } from "../../cli/command.ts";
import { Follower } from "./follower.ts";

describe("the example by Express", () => {
  it("is live by its one line", async () => {
    const start = runNode("examples/express/start.js", ["0"]);
    await start.until(({ stdout }) => stdout.includes("/tasks\n"));
    const url = start.stdout.trim();
    const open = new Follower(`${url.replace("http:", "ws:")}?done=false`, {});
    await open.ready();
    const headers = { "Content-Type": "application/json" };
    await fetch(url, { method: "POST", headers, body: '{"title":"Tell somebody"}' });
    await open.rows([
      { id: 2, title: "Try it", done: false },
      { id: 3, title: "Tell somebody", done: false },
    ]);
    await fetch(`${url}/2`, { method: "PATCH", headers, body: '{"done":true}' });
    await open.rows([{ id: 3, title: "Tell somebody", done: false }]);
    expect(open.messages.map(({ status }) => status)).toEqual([200, 304, 201, 204]);
  });
});
