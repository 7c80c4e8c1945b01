import type { Dial, Dialing, Ending, LinkEvents } from "../../src/cli/link.ts";
import type { Body, HttpResponse } from "../../src/protocol/index.ts";

/** One connection that a follower opened, played by the test. */
export interface FakeLink {
  readonly dialing: Dialing;
  readonly events: LinkEvents;
  /** What the client did: `ping`, `close 1000`, `abandon`. */
  readonly done: string[];
  /** Opens it and sends messages. */
  send(...messages: readonly Body[]): void;
  end(ending: Ending): void;
}

/** Connections in the order in which they were dialled. */
export function createFakeDial(): { readonly dial: Dial; readonly links: FakeLink[] } {
  const links: FakeLink[] = [];
  const dial: Dial = (dialing, events) => {
    const done: string[] = [];
    links.push({
      dialing,
      events,
      done,
      send(...messages) {
        events.opened();
        for (const message of messages) events.received(message);
      },
      end: (ending) => events.ended(ending),
    });
    return {
      ping: () => void done.push("ping"),
      close: (code) => void done.push(`close ${code}`),
      abandon: () => void done.push("abandon"),
    };
  };
  return { dial, links };
}

/** The text of a message: a status line, fields as written, a body. */
export function message(status: number, eventId?: string, body = "", ...fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} X`, ...fields, ...(eventId === undefined ? [] : [`Event-ID: ${eventId}`])];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** A message in a few characters: `202 s:2.1`. */
export function brief({ status, fields }: HttpResponse): string {
  const eventId = fields.find(([name]) => name === "Event-ID")?.[1];
  return eventId === undefined ? `${status}` : `${status} ${eventId}`;
}
