import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { proxied, proxy, upstream, Wire } from "../proxy/setting.ts";

/** An upstream that answers when it is told to, and counts. */
async function slowUpstream() {
  const held: { readonly url: string; readonly answer: () => void }[] = [];
  const seen: string[] = [];
  let open = 0;
  let most = 0;
  let isHolding = true;
  let watch: () => void = () => {};
  const { url, server } = await upstream((incoming: IncomingMessage, response: ServerResponse) => {
    const { url: target = "" } = incoming;
    seen.push(target);
    const answer = () => void response.end(target);
    if (isHolding && target !== "/ping") held.push({ url: target, answer });
    else answer();
    watch();
  });
  server.on("connection", (socket: Socket) => {
    open += 1;
    most = Math.max(most, open);
    socket.on("close", () => {
      open -= 1;
    });
  });
  const until = (test: () => boolean) =>
    new Promise<void>((resolve) => {
      watch = () => {
        if (test()) resolve();
      };
      watch();
    });
  const letGo = () => {
    isHolding = false;
    for (const { answer } of held.splice(0)) answer();
  };
  return { url, held, seen, until, letGo, mostOpen: () => most };
}

function gets(count: number, path: string): string {
  const one = (at: number) => `GET ${path}/${at} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  return Array.from({ length: count }, (_, at) => one(at)).join("");
}

describe("2,000 pipelined GETs of one connection", () => {
  it("use one connection to the upstream, and are all answered in order", async () => {
    const { url, until, held, seen, letGo, mostOpen } = await slowUpstream();
    const { port, url: outside } = await proxy(url);
    const wire = new Wire(port).send(gets(2_000, "/p"));
    await until(() => held.length > 0);
    // Others are answered meanwhile, and nothing more of the first has begun.
    for (let nth = 0; nth < 20; nth += 1) expect(await (await fetch(`${outside}/ping`)).text()).toBe("/ping");
    expect(held.map((one) => one.url)).toEqual(["/p/0"]);
    letGo();
    await wire.until("/p/1999");
    expect(seen.filter((target) => target !== "/ping")).toEqual(Array.from({ length: 2_000 }, (_, at) => `/p/${at}`));
    expect(wire.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2_000);
    expect(mostOpen()).toBeLessThanOrEqual(3);
  });

  it("are not read on while many of them wait, and go on when they are answered", async () => {
    const { url, until, held, letGo } = await slowUpstream();
    const { port, url: outside } = await proxy(url);
    const wire = new Wire(port);
    let isTaken = false;
    wire.socket.write(gets(200_000, "/p"), () => {
      isTaken = true;
    });
    await until(() => held.length > 0);
    for (let nth = 0; nth < 100; nth += 1) await (await fetch(`${outside}/ping`)).text();
    expect(isTaken).toBe(false);
    letGo();
    await wire.until("/p/500");
  });
});

describe("requests of many clients", () => {
  it("use no more connections to the upstream than allowed, streams and tunnels aside", async () => {
    const { url, until, held, letGo, mostOpen } = await slowUpstream();
    const { url: outside } = await proxy(url, { maxUpstreamConnections: 5 });
    const answers = Array.from({ length: 40 }, async (_, at) => (await fetch(`${outside}/c/${at}`)).text());
    await until(() => held.length === 5);
    expect(mostOpen()).toBe(5);
    letGo();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 40 }, (_, at) => `/c/${at}`));
    expect(mostOpen()).toBe(5);
  });

  it("beyond those that may wait are a 503 with Retry-After at once, and the others are answered", async () => {
    const { url, until, held, letGo } = await slowUpstream();
    const { port } = await proxy(url, { maxUpstreamConnections: 1 });
    const wires = Array.from({ length: 1_025 + 3 }, (_, at) => new Wire(port).send(gets(1, `/w${at}`)));
    await until(() => held.length === 1);
    // Which of them come first is the kernel's choice: those that are refused are refused without any being answered.
    await new Promise<void>((resolve) => {
      const look = () => {
        if (
          wires.filter(({ text }) => text.startsWith("HTTP/1.1 503 ") && text.includes("\r\nRetry-After: 1\r\n"))
            .length === 3
        )
          resolve();
      };
      for (const { socket } of wires) socket.on("data", look);
      look();
    });
    expect(held).toHaveLength(1);
    letGo();
    await Promise.all(wires.map((wire) => wire.until("\r\n\r\n")));
    expect(wires.filter(({ text }) => text.startsWith("HTTP/1.1 200 "))).toHaveLength(1_025);
  });

  it("are not kept waiting by event streams, however many there are", async () => {
    const { port, url } = await proxied(
      (incoming, response) => {
        if (incoming.url !== "/events") response.end("x");
        else response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      },
      { maxUpstreamConnections: 2 },
    );
    const streams = Array.from({ length: 6 }, () =>
      new Wire(port).send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    for (const stream of streams) await stream.until("text/event-stream");
    expect(await (await fetch(url)).text()).toBe("x");
  });
});
