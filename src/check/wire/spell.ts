/** A message's head and its body. */
function split(message: string): { readonly head: string; readonly body: string } {
  const end = message.indexOf("\r\n\r\n");
  return { head: message.slice(0, end), body: message.slice(end + 4) };
}

/** How an event is written. */
export interface EventSpelling {
  /** The end of its lines. Default LF. */
  readonly lineEnd?: string;
  /** Its name. Default: the message's status. */
  readonly name?: string;
  /** Whether its body is in base64. Default false. */
  readonly isCoded?: boolean;
}

/** A message as an event (R-STR-3). */
export function spellEvent(message: string, { lineEnd = "\n", name, isCoded = false }: EventSpelling = {}): string {
  const { head, body } = split(message);
  const status = /^HTTP\/1\.1 ([0-9]{3})/.exec(head)?.[1] ?? "";
  const id = /^event-id: (.*)$/im.exec(head)?.[1];
  const retry = /^retry-after: ([0-9]+)$/im.exec(head)?.[1];
  const coding = isCoded ? ["data: Content-Transfer-Encoding: base64"] : [];
  const lines = [
    ...(retry === undefined ? [] : [`retry: ${Number(retry) * 1_000}`]),
    `event: ${name ?? status}`,
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...head.split("\r\n").map((line) => `data: ${line}`),
    ...coding,
    "data:",
    ...(isCoded ? Buffer.from(body).toString("base64") : body).split("\n").map((line) => `data: ${line}`),
  ];
  return lines.map((line) => line + lineEnd).join("") + lineEnd;
}

/** A message as a part of an HTTP stream (R-STR-9). */
export function spellPart(message: string): string {
  const { head, body } = split(message);
  const isBare = /^HTTP\/1\.1 (?:204|304)/.test(head);
  const length = isBare ? "" : `\r\nContent-Length: ${Buffer.byteLength(body)}`;
  return `${head}${length}\r\n\r\n${body}\r\n`;
}
