import { describe, expect, it } from "vitest";
import {
  type Body,
  chooseSubprotocol,
  closeCodes,
  compareByItemOrder,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  expandUrlTemplate,
  formatEventId,
  formatItemOrder,
  formatItems,
  isEventId,
  parseAnyItems,
  parseEventId,
  parseItemOrder,
  parseItems,
  retryClass,
} from "../../src/protocol/index.ts";
import {
  bytesOf,
  closeCodeVectors,
  dataOf,
  eventIdVectors,
  itemOrderComparisons,
  itemOrderValues,
  itemOrderVectors,
  itemsVectors,
  levelZeroVectors,
  type MessageVector,
  messageVectors,
  subprotocolVectors,
  urlTemplateVectors,
} from "./vectors.ts";

function decode({ kind }: MessageVector, data: Body): unknown {
  return kind === "request" ? decodeRequest(data) : decodeResponse(data);
}

function encode({ kind, expect: message }: MessageVector): Body | undefined {
  if (!message) return undefined;
  const { fields, method = "", target = "", status = 0, reason = "", bodyHex } = message;
  const body = bodyHex === undefined ? (message.body ?? "") : bytesOf(bodyHex);
  return kind === "request"
    ? encodeRequest({ method, target, fields, body })
    : encodeResponse({ status, reason, fields, body });
}

/** Cases whose titles are made of their names and requirements. */
function titled(vectors: readonly MessageVector[]): (readonly [string, string, MessageVector])[] {
  return vectors.map((vector) => [vector.name, vector.requirement, vector]);
}

const good = messageVectors.filter(({ expect: message }) => message !== undefined);
const exact = good.filter((vector) => vector.exact);
const bad = messageVectors.filter(({ closeCode }) => closeCode !== undefined);

/** The field for the same list, read from its end. */
function reversed(order: string): string {
  const others: Readonly<Record<string, string>> = { asc: "desc", desc: "asc", first: "last", last: "first" };
  return order.replace(/(?<=\.)(?:asc|desc)|(?<=-nulls)(?:first|last)/g, (word) => others[word] ?? "");
}

describe("a message", () => {
  it.each(titled(good))("with %s is decoded [%s]", (_name, _requirement, vector) => {
    const { bodyHex, ...rest } = vector.expect ?? { fields: [] };
    const message = bodyHex === undefined ? rest : { ...rest, body: bytesOf(bodyHex) };
    expect(decode(vector, dataOf(vector))).toEqual(message);
  });

  it.each(titled(exact))("with %s is encoded to the same bytes [%s]", (_name, _requirement, vector) => {
    expect(encode(vector)).toEqual(dataOf(vector));
  });

  it.each(titled(bad))("that is %s is refused with its close code [%s]", (_name, _requirement, vector) => {
    expect(() => decode(vector, dataOf(vector))).toThrow(
      expect.objectContaining({ name: "ProtocolError", closeCode: vector.closeCode }),
    );
  });

  it.each(levelZeroVectors)("of Level 0 for $name is the proposal's, byte for byte [R-L0-2]", (vector) => {
    const { status, contentType, contentLocation, body, hex } = vector;
    const message = encodeResponse({
      status,
      fields: [
        ["Content-Type", contentType],
        ["Content-Location", contentLocation],
      ],
      body,
    });
    expect(Buffer.from(String(message)).toString("hex")).toBe(hex);
  });
});

describe("a field", () => {
  it.each(eventIdVectors)("Event-ID $eventId is judged and taken apart [R-POS-1] [R-POS-2]", (vector) => {
    const { eventId, valid, parts } = vector;
    expect(isEventId(eventId)).toBe(valid);
    expect(parseEventId(eventId)).toEqual(parts);
    if (parts?.kind === "direct") expect(formatEventId(parts.segment, parts.position, parts.check)).toBe(eventId);
  });

  it.each(itemsVectors)("Items: $field is read and written [R-FLD-2] [R-FLD-3]", ({ field, items, record, exact }) => {
    expect(parseItems(field) ?? null).toEqual(items);
    expect(parseAnyItems(field)?.record ?? null).toBe(record);
    if (items && exact) expect(formatItems(items)).toBe(field);
  });

  it.each(urlTemplateVectors)("Items with the URL $template is expanded over $row [R-FLD-4]", (vector) => {
    expect(expandUrlTemplate(vector.template, vector.row) ?? null).toBe(vector.url);
  });

  it.each(itemOrderVectors)("Item-Order: $field is read and written [R-FLD-5]", ({ field, order, exact }) => {
    expect(parseItemOrder(field) ?? null).toEqual(order);
    if (order && exact) expect(formatItemOrder(order)).toBe(field);
  });

  it.each(itemOrderComparisons)("Item-Order: $order compares as it says [$requirement]", ({ order, groups }) => {
    const rows = groups.flatMap((values, place) => values.map((v) => ({ v, place })));
    for (const [field, sign] of [
      [order, 1],
      [reversed(order), -1],
    ] as const) {
      const compare = compareByItemOrder(parseItemOrder(field) ?? []);
      for (const one of rows) {
        for (const other of rows) {
          const expected = sign * Math.sign(one.place - other.place) + 0;
          expect([one.v, other.v, Math.sign(compare(one, other)) + 0]).toEqual([one.v, other.v, expected]);
        }
      }
    }
  });

  it("Item-Order puts values of all types in one order, and the reverse [R-FLD-6]", () => {
    const rows = itemOrderValues.map((value) => ({ value }));
    for (const [index, row] of rows.entries()) {
      for (const [other, otherRow] of rows.entries()) {
        const expected = Math.sign(index - other);
        const ascending = compareByItemOrder([{ name: "value", descending: false }]);
        const descending = compareByItemOrder([{ name: "value", descending: true }]);
        expect([index, other, Math.sign(ascending(row, otherRow))]).toEqual([index, other, expected]);
        expect([index, other, Math.sign(descending(otherRow, row))]).toEqual([index, other, expected]);
      }
    }
  });
});

describe("a close code", () => {
  it.each(closeCodeVectors)("$code means $retry [R-CLOSE-1] [R-CLOSE-2]", ({ code, listed, retry }) => {
    expect(retryClass(code)).toBe(retry);
    expect(closeCodes.some((row) => row.code === code)).toBe(listed);
  });

  it("is in the vectors where it is in the table [R-CLOSE-1]", () => {
    const listed = closeCodeVectors.filter(({ listed }) => listed).map(({ code }) => code);
    expect(closeCodes.map(({ code }) => code)).toEqual(listed);
  });
});

describe("a choice of subprotocol", () => {
  it.each(subprotocolVectors)("with $name offered is made [R-L1-1] [R-L1-2] [R-EXT-2]", (vector) => {
    const { level, echo, bearer } = chooseSubprotocol(vector.offered);
    expect({ level, echo: echo ?? null, bearer: bearer ?? null }).toEqual({
      level: vector.level,
      echo: vector.echo,
      bearer: vector.bearer,
    });
  });
});
