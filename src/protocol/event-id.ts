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
const direct = /^([\w.~-]+):(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$/;

/** Whether `text` can be an `Event-ID`: 1 to 128 letters, digits, `-`, `.`, `_`, `~` and `:` [R-POS-1]. */
export function isEventId(text: string): boolean {
  return shape.test(text);
}

function parseDirect(text: string): (EventId & { readonly kind: "direct" }) | undefined {
  const [, segment, position, check] = direct.exec(text) ?? [];
  const id = { kind: "direct", segment: segment ?? "", position: Number(position), check: Number(check) } as const;
  // Without a match they are no numbers.
  return text.length <= 128 && Number.isSafeInteger(id.position) && Number.isSafeInteger(id.check) ? id : undefined;
}

/** Takes an `Event-ID` apart; `undefined` where it is of neither form [R-POS-2]. */
export function parseEventId(text: string): EventId | undefined {
  const isDerived = isEventId(text) && /^d-[^:]/.test(text) && !text.includes(":");
  return isDerived ? { kind: "derived", digest: text.slice(2) } : parseDirect(text);
}

/** True where `later` is known to be at or after `earlier`; `undefined` where positions can't be ordered [R-POS-2]. */
export function isAtOrAfter(later: string, earlier: string): boolean | undefined {
  const [a, b] = [parseDirect(later), parseDirect(earlier)];
  return a && b && a.segment === b.segment ? a.position >= b.position : undefined;
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
