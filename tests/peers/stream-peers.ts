import { spawn } from "node:child_process";
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSource } from "eventsource";
import { onTestFinished, vi } from "vitest";
import { decodeEvent, EventStreamDecoder, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { missingCurl } from "./http-peers.ts";

/** An event as a client of event streams gives it to its page. */
export interface PeerEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

type Listener = (event: PeerEvent) => void;

/** A client of event streams that nobody here wrote. */
export interface StreamPeer {
  readonly name: string;
  /** Why it can't be run here; empty where it can. */
  readonly missing: string;
  /** Whether it connects again by itself, and resumes. */
  readonly resumes: boolean;
  /** Follows a URL until the test ends. @param fetch - how it reaches the server, where it lets somebody say so */
  follow(url: string, told: Listener, fetch?: typeof globalThis.fetch): void;
}

const names = ["200", "201", "202", "204", "304", "404", "410"];

const eventSource: StreamPeer = {
  name: "npm eventsource",
  missing: "",
  resumes: true,
  follow(url, told, fetch) {
    const source = new EventSource(url, fetch ? { fetch: fetch as never } : {});
    onTestFinished(() => source.close());
    for (const name of names) {
      source.addEventListener(name, ({ type, data, lastEventId: id }) => told({ type, data, id }));
    }
  },
};

const fetchSource: StreamPeer = {
  name: "@microsoft/fetch-event-source",
  missing: "",
  resumes: true,
  follow(url, told, fetch = globalThis.fetch) {
    // It is made for pages.
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", { removeEventListener: () => {} });
    const abort = new AbortController();
    onTestFinished(() => {
      abort.abort();
      vi.unstubAllGlobals();
    });
    void fetchEventSource(url, {
      signal: abort.signal,
      openWhenHidden: true,
      fetch,
      // It tells of a comment and of a `retry`, too.
      onmessage: ({ event, data, id }) => event !== "" && told({ type: event, data, id }),
      onclose: () => {
        throw new Error("The stream has ended.");
      },
    });
  },
};

const curl: StreamPeer = {
  name: "curl -N",
  missing: missingCurl,
  resumes: false,
  follow(url, told) {
    const child = spawn("curl", ["-sSN", "-H", "Accept: text/event-stream", url], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const decoder = new EventStreamDecoder();
    child.stdout.on("data", (bytes: Buffer) => {
      for (const { type, data, id = "" } of decoder.decode(bytes)) told({ type, data, id });
    });
  },
};

/** The clients of event streams. */
export const streamPeers: readonly StreamPeer[] = [eventSource, fetchSource, curl];

/** What a client of event streams was told. */
export class Told {
  readonly events: PeerEvent[] = [];
  readonly #waiting = new Set<() => void>();

  readonly take = (event: PeerEvent): void => {
    this.events.push(event);
    for (const look of this.#waiting) look();
  };

  /** In short: names, and what they are about. */
  get short(): string[] {
    return this.messages.map(({ status, fields }) =>
      `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim(),
    );
  }

  get messages(): HttpResponse[] {
    return this.events.map((event) => decodeEvent(event)).filter((message) => message !== undefined);
  }

  /** Resolves once so many events came. */
  count(wanted: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.events.length < wanted) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
