import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { clientLimits, type Field, subprotocolName } from "../protocol/index.ts";
import { explain } from "./failure.ts";
import type { Dialing, Ending, Link, LinkEvents } from "./link.ts";
import { readRefusal } from "./refusal.ts";
import { systemErrorCode } from "./system-error.ts";

const handshakeTimeoutMs = 10_000;
const closeGraceMs = 500;

function headersOf(fields: readonly Field[], lastEventId: string | undefined): Record<string, string[]> {
  const all = lastEventId === undefined ? fields : [...fields, ["Last-Event-ID", lastEventId] as const];
  const headers = new Map<string, string[]>();
  for (const [name, value] of all) headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
  return Object.fromEntries(headers);
}

/** Certificates that don't hold, and names that don't exist, don't get better by trying again. */
function isPermanent(code: string | undefined): boolean {
  return code === "ENOTFOUND" || /CERT|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code ?? "");
}

function endingOf(error: Error, url: string): Ending {
  const code = systemErrorCode(error);
  if (code?.startsWith("WS_ERR_")) return { kind: "garbled", reason: explain(error) };
  if (error.message.startsWith("Invalid ") || error.message.startsWith("Server sent ")) {
    return { kind: "garbled", reason: explain(error) };
  }
  const reason = `${new URL(url).host}: ${explain(error)}`;
  return { kind: "unreachable", reason, isPermanent: isPermanent(code) };
}

class WebSocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #events: LinkEvents;
  #ending: Ending | undefined;
  #isOpen = false;
  #isOver = false;

  constructor({ url, level, lastEventId, headers }: Dialing, events: LinkEvents) {
    this.#events = events;
    this.#socket = new WebSocket(url, level === 1 ? [subprotocolName] : [], {
      headers: headersOf(headers, lastEventId),
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload: clientLimits.maxBodyBytes + clientLimits.maxHeadBytes,
      perMessageDeflate: false,
    });
    this.#socket.binaryType = "nodebuffer";
    this.#socket.on("upgrade", (response) => {
      if (level === 1 && response.headers["sec-websocket-protocol"] === undefined) this.#ending = { kind: "no-echo" };
    });
    this.#socket.on("unexpected-response", (_request, response) => void this.#refused(response));
    this.#socket.on("open", () => {
      this.#isOpen = true;
      events.opened();
    });
    this.#socket.on("message", (data: Buffer, isBinary) => events.received(isBinary ? data : data.toString("utf8")));
    this.#socket.on("ping", () => events.pinged());
    this.#socket.on("pong", () => events.pinged());
    this.#socket.on("error", (error) => {
      const ending = endingOf(error, url);
      if (!this.#isOpen || ending.kind === "garbled") this.#ending ??= ending;
    });
    this.#socket.on("close", (code, reason) => {
      this.#end(this.#ending ?? { kind: "closed", code, reason: reason.toString("utf8") });
    });
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  close(code: number): void {
    this.#socket.close(code);
    // An open socket keeps the process alive, so this runs unless the peer is quicker.
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
  }

  abandon(): void {
    this.#socket.terminate();
  }

  async #refused(response: IncomingMessage): Promise<void> {
    const refusal = await readRefusal(response);
    this.#end(refusal);
    this.#socket.terminate();
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.ended(ending);
  }
}

/** Opens a WebSocket. */
export function dialWebSocket(dialing: Dialing, events: LinkEvents): Link {
  return new WebSocketLink(dialing, events);
}
