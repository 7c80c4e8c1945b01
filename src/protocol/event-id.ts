/** A position as `Event-ID` has it, taken apart. */
export type EventId =
  | {
      /** A place in a journal; two of one segment can be ordered. */
      readonly kind: "direct";
      /** Names a stretch of the journal's life: letters, digits, `-`, `.`, `_`, `~`. */
      readonly segment: string;
      /** A whole number; grows along the journal. */
      readonly position: number;
      /** Tells a journal that was restored from a copy and went another way. */
      readonly check: number;
    }
  | {
      /** The document that the state equals; can only be compared for equality. */
      readonly kind: "derived";
      readonly digest: string;
    };

const shape = /^[A-Za-z0-9._~:-]{1,128}$/;
const direct = /^([A-Za-z0-9._~-]+):(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$/;

/** Whether `text` can be an `Event-ID`: 1 to 128 letters, digits, `-`, `.`, `_`, `~` and `:` [R-POS-1]. */
export function isEventId(text: string): boolean {
  return shape.test(text);
}

/** Takes an `Event-ID` apart; `undefined` where it is of neither form [R-POS-2]. */
export function parseEventId(text: string): EventId | undefined {
  if (!isEventId(text)) return undefined;
  const match = direct.exec(text);
  if (match) {
    const [, segment = "", position, check] = match;
    const id = { kind: "direct", segment, position: Number(position), check: Number(check) } as const;
    return Number.isSafeInteger(id.position) && Number.isSafeInteger(id.check) ? id : undefined;
  }
  if (text.startsWith("d-") && text.length > 2 && !text.includes(":"))
    return { kind: "derived", digest: text.slice(2) };
  return undefined;
}

/**
 * Writes a place in a journal: `segment:position.check`.
 *
 * @throws RangeError where that would be no `Event-ID` of that form
 */
export function formatEventId(segment: string, position: number, check: number): string {
  const text = `${segment}:${position}.${check}`;
  if (parseEventId(text)?.kind !== "direct") throw new RangeError(`${JSON.stringify(text)} is not an Event-ID.`);
  return text;
}
