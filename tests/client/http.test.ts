import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Http } from "../../src/client/http.ts";

function httpThat(answers: (authorization: string | null) => number, token?: (isRefused: boolean) => string): Http {
  const send = async (_url: unknown, init?: RequestInit): Promise<Response> =>
    new Response(null, { status: answers(new Headers(init?.headers).get("authorization")) });
  return new Http({ base: new URL("http://h/base/"), fetch: send as typeof fetch, token });
}

describe("Http", () => {
  it("asks for other credentials once where they are refused, and no further", async () => {
    const asked: boolean[] = [];
    const http = httpThat(
      () => 401,
      (isRefused) => {
        asked.push(isRefused);
        return "t";
      },
    );
    expect((await http.fetch("/a")).status).toBe(401);
    expect(asked).toEqual([false, true]);
  });

  it("asks for other credentials once for all that were refused with the same, also for one that hears of it late", async () => {
    const asked: boolean[] = [];
    const http = httpThat(
      (shown) => (shown === "Bearer t2" ? 200 : 401),
      (isRefused) => {
        asked.push(isRefused);
        return `t${asked.length}`;
      },
    );
    const answers = await Promise.all(["/a", "/b", "/c"].map((path) => http.fetch(path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await http.authorization("Bearer t1")).toBe("Bearer t2");
    expect(asked).toEqual([false, true]);
  });

  it("calls the function that sends as a function: the platform's own refuses to be a method", async () => {
    let receiver: unknown = "not called";
    function send(this: unknown): Promise<Response> {
      receiver = this;
      return Promise.resolve(new Response());
    }
    await new Http({ base: new URL("http://h/"), fetch: send, token: undefined }).fetch("/a");
    expect(receiver).toBeUndefined();
  });

  it("gives what is plain as it is, without a parser: lists ask for the URL of each row at each drawing", () => {
    let readings = 0;
    class Counted extends URL {
      override get pathname(): string {
        readings += 1;
        return super.pathname;
      }
    }
    const canParse = vi.spyOn(URL, "canParse");
    onTestFinished(() => canParse.mockRestore());
    const http = new Http({ base: new Counted("http://h/base/"), fetch, token: undefined });
    const paths = Array.from({ length: 1_000 }, (_, at) => `/base/songs/${at}`);
    const before = readings;
    const targets = paths.map((path) => http.target(path));
    expect([readings - before, canParse.mock.calls.length]).toEqual([0, 0]);
    expect(targets).toEqual(paths);
  });

  it("asks for a token once for many requests", async () => {
    let asked = 0;
    const http = httpThat(
      (authorization) => (authorization === "Bearer t1" ? 200 : 401),
      () => `t${++asked}`,
    );
    await Promise.all([http.fetch("/a"), http.fetch("/b")]);
    expect((await http.fetch("/c")).status).toBe(200);
    expect(asked).toBe(1);
  });

  it("asks again after the source of tokens threw", async () => {
    let asked = 0;
    const http = httpThat(
      () => 200,
      () => {
        asked += 1;
        if (asked === 1) throw new Error("no network");
        return "t";
      },
    );
    await expect(http.fetch("/a")).rejects.toThrow("no network");
    expect((await http.fetch("/a")).status).toBe(200);
  });

  it("stays below the base's path, and at its origin", () => {
    const http = httpThat(() => 200);
    expect(http.target("/a?b=1")).toBe("/base/a?b=1");
    expect(http.target("/base/a")).toBe("/base/a");
    expect(() => http.target("http://other/a")).toThrow(TypeError);
  });
});
