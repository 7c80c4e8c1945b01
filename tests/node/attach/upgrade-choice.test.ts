import { describe, expect, it } from "vitest";
import { resolveAttachOptions } from "../../../src/node/attach/options.ts";
import { chooseTaker } from "../../../src/node/attach/upgrade-choice.ts";

const { paths } = resolveAttachOptions({ paths: ["/api/"] });

const choices = [
  { what: "that offers rocket.v1", offered: "chat, rocket.v1", alone: "rocket", beside: "rocket" },
  { what: "without a subprotocol", alone: "rocket", beside: "others" },
  { what: "with nothing but a token of Rocket's", offered: "rocket.bearer.YQ", alone: "rocket", beside: "others" },
  { what: "of another protocol", offered: "vite-hmr", alone: "nobody", beside: "others" },
  { what: "without a subprotocol at a claimed path", paths, alone: "rocket", beside: "rocket" },
  { what: "without a subprotocol at another path", paths, url: "/apis", alone: "nobody", beside: "others" },
  { what: "of another protocol at a claimed path", paths, offered: "mqtt", alone: "nobody", beside: "others" },
  { what: "to h2c", upgrade: "h2c", alone: "nobody", beside: "others" },
  { what: "that is no GET", method: "POST", alone: "nobody", beside: "others" },
] as const;

describe("an upgrade", () => {
  it.each(choices)("$what is for $alone, and beside another listener for $beside", (choice) => {
    const {
      offered,
      url = "/api/a?b=c",
      method = "GET",
      upgrade = "WebSocket",
    } = { ...choice } as {
      offered?: string;
      url?: string;
      method?: string;
      upgrade?: string;
    };
    const headers = { upgrade, ...(offered === undefined ? {} : { "sec-websocket-protocol": offered }) };
    const claimed = "paths" in choice ? choice.paths : undefined;
    const taker = (hasOthers: boolean) => chooseTaker({ headers, method, url }, claimed, hasOthers);
    expect([taker(false), taker(true)]).toEqual([choice.alone, choice.beside]);
  });
});
