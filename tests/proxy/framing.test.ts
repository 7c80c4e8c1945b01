import { request } from "node:http";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { echo } from "./echo.ts";
import { Follower } from "./follower.ts";
import { deferred, listen, proxied, proxy, upstream, Wire } from "./setting.ts";

describe("the proxy, by its framing and connections,", () => {
  it("passes trailers on, both ways", async () => {
    const { port } = await proxied((incoming, response) => {
      incoming.resume().on("end", () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("abc");
        response.addTrailers([["X-Sum", `got ${incoming.trailers["x-check"]}`]]);
        response.end();
      });
    });
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "Trailer: X-Check",
      "Connection: close",
      "",
      "3",
      "abc",
      "0",
      "X-Check: 42",
      "",
      "",
    );
    expect(await wire.ended()).toMatch(/Trailer: X-Sum\r\n[\s\S]*3\r\nabc\r\n0\r\nX-Sum: got 42\r\n\r\n$/);
  });

  it("asks the upstream before a client that expects 100 sends its body", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Content-Length: 5",
      "Expect: 100-continue",
      "",
      "",
    );
    expect(await wire.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello");
    expect(await wire.until('"body":"hello"')).toContain("HTTP/1.1 200 OK");
  });

  it("passes the upstream's refusal of an expectation on, and ends the connection", async () => {
    const { server, url: origin } = await upstream(() => {});
    server.on("checkContinue", (_, response) => response.writeHead(413).end());
    const { port } = await proxy(origin);
    const wire = new Wire(port).send(
      "POST / HTTP/1.1",
      "Host: localhost",
      "Content-Length: 5",
      "Expect: 100-continue",
      "",
      "",
    );
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/);
  });

  it("passes early hints on, with all their fields", async () => {
    const { port } = await proxied((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload", "x-hint": "1" });
      response.end("abc");
    });
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await wire.ended()).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nx-hint: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });

  it("passes an answer on that ends with its connection", async () => {
    const { url: origin } = await listen(
      createServer((socket) => {
        socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end"));
      }),
    );
    const { url } = await proxy(origin);
    expect(await (await fetch(url)).text()).toBe("until the end");
  });

  it("answers HTTP/1.0 clients as they understand it", async () => {
    const { port } = await proxied((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.write("abc");
      response.end("def");
    });
    const wire = new Wire(port).send("GET / HTTP/1.0", "Host: localhost", "", "");
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nabcdef$/);
  });

  it("uses connections again, both to clients and to the upstream", async () => {
    const ports = new Set<number | undefined>();
    const { port } = await proxied((incoming, response) => {
      ports.add(incoming.socket.remotePort);
      response.end("a");
    });
    const wire = new Wire(port);
    for (let turn = 1; turn <= 5; turn += 1) {
      wire.send("GET / HTTP/1.1", "Host: localhost", "", "");
      await wire.until(
        new RegExp(`(?:HTTP/1.1 200[\\s\\S]*?\\r\\na\\r\\n0\\r\\n\\r\\n|HTTP/1.1 200[\\s\\S]*?\\r\\n\\r\\na){${turn}}`),
      );
    }
    expect(ports.size).toBe(1);
  });

  it("passes the head of an event stream on before there is an event, and each event at once", async () => {
    const { promise, resolve } = deferred<(text: string) => void>();
    const { port } = await proxied((_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      resolve((text) => response.write(text));
    });
    const wire = new Wire(port).send("GET /events HTTP/1.1", "Host: localhost", "Accept: text/event-stream", "", "");
    const write = await promise;
    await wire.until("\r\n\r\n");
    write("data: 1\n\n");
    await wire.until("data: 1\n\n");
    write("data: 2\n\n");
    expect(await wire.until("data: 2\n\n")).toContain("Content-Type: text/event-stream");
  });

  it("takes a target in absolute form, if it answers for its host [R-SEC-9]", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send(
      "GET http://localhost/a?b HTTP/1.1",
      "Host: localhost",
      "Connection: close",
      "",
      "",
    );
    expect(await wire.ended()).toContain('"url":"/a?b"');
    const other = new Wire(port).send("GET http://evil/a HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await other.ended()).toMatch(/^HTTP\/1\.1 421 /);
  });

  it("passes OPTIONS * on", async () => {
    const { port } = await proxied(echo());
    const wire = new Wire(port).send("OPTIONS * HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect(await wire.ended()).toContain('"url":"*"');
  });

  it("ends a loop that leads back to itself with 508", async () => {
    const { url: inner } = await upstream((incoming, response) => {
      const again = request(back, { headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500);
        answer.pipe(response);
      });
      again.end();
    });
    const { url: back } = await proxy(inner);
    const answer = await fetch(back);
    expect(answer.status).toBe(508);
  });

  it("takes a 204 for whole with its head, whatever its Content-Length says", async () => {
    const { server, url: origin } = await listen(createServer());
    server.on("connection", (socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n"));
      socket.on("error", () => {});
    });
    const { port, logged } = await proxy(origin);
    const wire = new Wire(port).send("GET / HTTP/1.1", "Host: localhost", "", "");
    await wire.until("X-A: 1\r\n");
    wire.send("GET / HTTP/1.1", "Host: localhost", "Connection: close", "", "");
    expect((await wire.ended()).split("HTTP/1.1 204").length).toBe(3);
    expect(logged).toEqual([]);
  });

  it("fails no request where an upstream says lengths of what it does not send, in 304s and 204s", async () => {
    const written: string[] = [];
    const { server, url: origin } = await listen(createServer());
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.setEncoding("latin1").on("data", (text) => {
        const [method = "", target = ""] = String(text).split(" ");
        if (method === "POST") written.push(target);
        const isEmpty = method === "GET" && target.endsWith("e");
        const head = target.startsWith("/304") ? "304 Not Modified" : "204 No Content";
        socket.write(
          isEmpty ? `HTTP/1.1 ${head}\r\nContent-Length: 7\r\n\r\n` : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        );
      });
    });
    const { url, logged } = await proxy(origin);
    const ask = async (target: string, method = "GET"): Promise<string> => {
      const response = await fetch(url + target, { method });
      return `${response.status} ${await response.text()}`;
    };
    const kinds = ["/304e", "/204e", "/a"];
    const one = async (nth: number) => [await ask(kinds[nth % 3] ?? ""), await ask(`/${nth}`, "POST"), await ask("/a")];
    const answers = await Promise.all(Array.from({ length: 30 }, (_, nth) => one(nth)));
    const expected = ["304 ", "204 ", "200 ok"];
    expect(answers).toEqual(answers.map((_, nth) => [expected[nth % 3], "200 ok", "200 ok"]));
    expect(written.toSorted()).toEqual(Array.from({ length: 30 }, (_, nth) => `/${nth}`).toSorted());
    expect(logged).toEqual([]);
  });

  it.each([3, 10])("sends a GET again where all of %i kept-alive connections have died", async (dead) => {
    const { url, connections, logged } = await withDeadConnections(dead);
    expect(await (await fetch(url)).text()).toBe("ok");
    expect([connections(), logged]).toEqual([dead + 1, []]);
  });

  it.each([2, 10])("opens a view though all of %i kept-alive connections have died", async (dead) => {
    const { url, logged } = await withDeadConnections(dead);
    const follower = await new Follower(url, ["rocket.v1"]).caughtUp();
    expect([await follower.notifications(1), logged]).toEqual([["200 ok"], []]);
  });

  it("sends no write again", async () => {
    const { url, asked } = await withDeadConnections(2);
    const before = asked();
    expect((await fetch(url, { method: "POST" })).status).toBe(502);
    expect(asked() - before).toBe(1);
  });

  it.each(["gzip, chunked", "foo, chunked", "chunked, chunked"])(
    "refuses the transfer coding %j, which nobody undoes, and reads no answer that has it (RFC 9112 §6.1)",
    async (coding) => {
      const { port, url } = await proxied(echo());
      const fields = ["Host: localhost", `Transfer-Encoding: ${coding}`, "Connection: close"];
      const wire = new Wire(port).send("POST / HTTP/1.1", ...fields, "", "3", "abc", "0", "", "");
      expect(await wire.ended()).toMatch(/^HTTP\/1\.1 (?:501|400) /);
      expect((await fetch(url)).status).toBe(200);
      const head = ["HTTP/1.1 200 OK", `Transfer-Encoding: ${coding}`, "Connection: close"];
      const answer = [...head, "", "3", "abc", "0", "", ""].join("\r\n");
      const odd = await listen(createServer((socket) => void socket.once("data", () => socket.end(answer))));
      const before = await proxy(odd.url);
      expect((await fetch(before.url)).status).toBe(502);
      const expecting = new Wire(before.port).send(
        "POST / HTTP/1.1",
        "Host: localhost",
        "Content-Length: 0",
        "Expect: 100-continue",
        "Connection: close",
        "",
        "",
      );
      expect(await expecting.ended()).toMatch(/^HTTP\/1\.1 502 /);
    },
  );
});

/** A proxy whose kept-alive connections to its upstream die as soon as they are used again. */
async function withDeadConnections(dead: number) {
  let connections = 0;
  let asked = 0;
  const held: (() => void)[] = [];
  const { server, url: origin } = await listen(createServer());
  server.on("connection", (socket) => {
    connections += 1;
    const isOld = connections <= dead;
    const answer = (): void => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let own = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      asked += 1;
      own += 1;
      if (!isOld) answer();
      else if (own > 1) socket.destroy();
      else if (held.push(answer) === dead) for (const each of held) each();
    });
  });
  const { url, logged } = await proxy(origin);
  await Promise.all(Array.from({ length: dead }, () => fetch(url).then((response) => response.text())));
  return { url, logged, connections: () => connections, asked: () => asked };
}
