import { randomBytes } from "node:crypto";
import { demand, shown } from "../fault.ts";
import type { Transcript } from "../transcript.ts";
import { acceptOf } from "../wire/accept.ts";
import { type Field, fieldValue, formatHead, type HttpAnswer, readAnswer } from "../wire/http.ts";
import { Wire } from "../wire/wire.ts";
import type { Site } from "./site.ts";

/** How a handshake is made. */
export interface HandshakeOptions {
  /** Default: the site's. */
  readonly target?: string;
  /** Level 1 offers `rocket.v1`. Default 1. */
  readonly level?: 0 | 1;
  /** The subprotocols that are offered, in place of those of the level. */
  readonly protocols?: readonly string[];
  /** Further fields. One of a name that the handshake has takes its place. */
  readonly fields?: readonly Field[];
  /** Names of fields that are left out. */
  readonly without?: readonly string[];
  /** Whether the site's own fields (credentials) are sent. Default true. */
  readonly asViewer?: boolean;
}

/** A handshake and its answer. */
export interface Handshake {
  readonly answer: HttpAnswer;
  readonly wire: Wire;
  readonly level: 0 | 1;
}

/** The fields of a handshake (RFC 6455 §4.1). */
function handshakeFields(site: Site, key: string, options: HandshakeOptions): Field[] {
  const {
    level = 1,
    protocols = level === 1 ? ["rocket.v1"] : [],
    fields = [],
    without = [],
    asViewer = true,
  } = options;
  const own: Field[] = [
    ["Host", site.host],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", key],
    ...(protocols.length > 0 ? [["Sec-WebSocket-Protocol", protocols.join(", ")] as const] : []),
    ...(asViewer ? site.fields : []),
  ];
  const replaced = new Set([
    ...fields.map(([name]) => name.toLowerCase()),
    ...without.map((name) => name.toLowerCase()),
  ]);
  return [...own.filter(([name]) => !replaced.has(name.toLowerCase())), ...fields];
}

/** Makes a handshake, whatever the answer is. @throws Fault where none comes */
export async function shakeHands(site: Site, transcript: Transcript, options: HandshakeOptions): Promise<Handshake> {
  const key = randomBytes(16).toString("base64");
  const head = formatHead(`GET ${options.target ?? site.target} HTTP/1.1`, handshakeFields(site, key, options));
  const wire = await Wire.open(site.address, site.patienceMs);
  transcript.sent(head);
  wire.write(head);
  const answer = await readAnswer(wire, "GET", site.patienceMs);
  demand(answer !== undefined, "An answer to the handshake.", "None came.");
  transcript.came(answer.head + (answer.status === 101 ? "" : shown(answer.body.toString("utf8"))));
  if (answer.status === 101) judge(site, transcript, answer, key, options);
  const isLevel1 = (options.protocols ?? []).includes("rocket.v1") || (!options.protocols && options.level !== 0);
  return { answer, wire, level: isLevel1 ? 1 : 0 };
}

/** What holds for every 101. */
function judge(
  site: Site,
  transcript: Transcript,
  { fields }: HttpAnswer,
  key: string,
  options: HandshakeOptions,
): void {
  const sentKey = fieldValue(options.fields ?? [], "sec-websocket-key") ?? key;
  const flaw = (requirement: string, what: string) => site.observe({ requirement, what }, transcript);
  const accept = fieldValue(fields, "sec-websocket-accept");
  if (accept !== acceptOf(sentKey)) {
    flaw("RFC6455-4.2.2", `Sec-WebSocket-Accept is ${accept ?? "missing"}, not ${acceptOf(sentKey)}.`);
  }
  if (
    fieldValue(fields, "upgrade")?.toLowerCase() !== "websocket" ||
    !/\bupgrade\b/i.test(fieldValue(fields, "connection") ?? "")
  ) {
    flaw("RFC6455-4.2.2", "The 101 lacks Upgrade: websocket or Connection: Upgrade.");
  }
  if (/\brocket\.bearer\./.test(fieldValue(fields, "sec-websocket-protocol") ?? "")) {
    flaw("R-SEC-3", "The 101 echoes a token.");
  }
}
