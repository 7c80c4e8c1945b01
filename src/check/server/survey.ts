import { Transcript } from "../transcript.ts";
import type { HttpAnswer } from "../wire/http.ts";
import { fieldValue } from "../wire/http.ts";
import { fieldOf, jsonOf, type Message } from "../wire/messages.ts";
import { shakeHands } from "./handshake.ts";
import { type ItemsField, parseItemsField, resolve, rowUrl } from "./items.ts";
import { Peer } from "./peer.ts";
import { request } from "./request.ts";
import { type Site, wellKnownOf } from "./site.ts";

/** What can be learnt of the server before the cases run. Cases that need what is not there are left out. */
export interface Survey {
  /** What a GET of the resource is answered. */
  readonly document: HttpAnswer;
  /** The first message of Level 1; absent where none came. */
  readonly opening: Message | undefined;
  /** Whether Level 1 can be had at the well-known URL, without a subscription. */
  readonly hasBareConnections: boolean;
  /** What stands behind the resource, as far as its position tells. */
  readonly kind: "direct" | "derived" | "other" | "none";
  /** Where the records are; absent where the resource is no collection. */
  readonly items: ItemsField | undefined;
  readonly rows: readonly unknown[];
  readonly heartbeatMs: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly promises: readonly string[];
  /** The types of streams over plain HTTP that it says to have (R-STR-18). */
  readonly streams: readonly string[];
  /** The methods that are carried out in band as over HTTP (R-BAND-12). */
  readonly methods: readonly string[];
}

/** What the well-known URL says, with defaults for what it does not. */
function readWellKnown(
  answer: HttpAnswer | undefined,
): Pick<Survey, "heartbeatMs" | "limits" | "methods" | "promises" | "streams"> {
  const document = answer && (jsonOf(answer) as { rocket?: Record<string, unknown> } | null | undefined);
  const { heartbeatMs = 20_000, limits = {}, promises = [], requests, streams } = document?.rocket ?? {};
  const { methods } = (requests ?? {}) as { methods?: unknown };
  return {
    heartbeatMs: Number(heartbeatMs) || 20_000,
    limits: limits as Record<string, number>,
    promises: Array.isArray(promises) ? promises.map(String) : [],
    streams: Array.isArray(streams) ? streams.map(String) : [],
    methods: Array.isArray(methods) ? methods.map(String) : [],
  };
}

/** The first message of a handshake of Level 1; `undefined` where none comes. */
async function openingOf(site: Site, target: string): Promise<Message | undefined> {
  const transcript = new Transcript();
  try {
    const { answer, wire } = await shakeHands(site, transcript, { target });
    if (answer.status !== 101) {
      wire.destroy();
      return undefined;
    }
    const peer = new Peer(site, transcript, wire, 1);
    try {
      return await peer.until("An opening.");
    } finally {
      peer.drop();
    }
  } catch {
    return undefined;
  }
}

function kindOf(opening: Message | undefined): Survey["kind"] {
  const position = opening && fieldOf(opening, "event-id");
  if (position === undefined) return "none";
  if (position.startsWith("d-")) return "derived";
  return /^[A-Za-z0-9._~-]+:[0-9]+\.[0-9]+$/.test(position) ? "direct" : "other";
}

/** Looks at the server. @throws Error where nobody answers */
export async function survey(site: Site): Promise<Survey> {
  const transcript = new Transcript();
  const document = await request(site, transcript, { target: site.target });
  const wellKnown = await request(site, transcript, { target: wellKnownOf(site) });
  const opening = await openingOf(site, site.target);
  const bare = await openingOf(site, wellKnownOf(site));
  const seen = opening?.status === 200 ? opening : document;
  const field = fieldValue(seen.fields, "items");
  const items = field === undefined ? undefined : parseItemsField(field);
  const hasRows = items?.url !== undefined || items?.link !== undefined;
  const found = hasRows ? resolve(jsonOf(seen), items.list) : undefined;
  return {
    document,
    opening,
    hasBareConnections: bare?.status === 200,
    kind: kindOf(opening),
    items: hasRows ? items : undefined,
    rows: Array.isArray(found) ? found : [],
    ...readWellKnown(wellKnown.status === 200 ? wellKnown : undefined),
  };
}

/** The URLs of the rows that have one that can be asked for. */
export function rowUrls({ items, rows }: Survey, target: string): string[] {
  if (!items) return [];
  const urls = rows.map((row) => rowUrl(items, row, target));
  return urls.filter((url) => url !== undefined && !url.includes("#")) as string[];
}
