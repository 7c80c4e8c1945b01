import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bearerSubprotocol,
  chooseSubprotocol,
  closeCodeForStatus,
  codedEntityTag,
  compareByItemOrder,
  createProblem,
  encodeResponse,
  encodeUrlPart,
  expandUrlTemplate,
  formatEventId,
  formatItemOrder,
  formatItems,
  formatPointer,
  heartbeatMs,
  isRequestId,
  matchesEntityTag,
  notificationKind,
  parseAnyItems,
  parseEventId,
  parseItemOrder,
  parseItems,
  plainEntityTags,
  prefersStrict,
  problemResponse,
  reasonPhrase,
  resolvePointer,
  silenceMs,
  truncateReason,
  urlTemplateExpression,
  wellKnownPath,
} from "../../src/protocol/index.ts";

const runs = { numRuns: 1_000, seed: 6901 };
const name = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).map((text) => text.toWellFormed());

describe("a notification's kind", () => {
  it.each([
    [200, "snapshot"],
    [201, "enter"],
    [202, "change"],
    [204, "leave"],
    [304, "bookmark"],
    [308, "problem"],
    [401, "problem"],
    [410, "problem"],
    [503, "problem"],
    [599, "problem"],
  ])("of %d is %s [R-SUB-8]", (status, kind) => {
    expect(notificationKind(status)).toBe(kind);
  });

  it.each([101, 199, 203, 205, 206, 209, 226, 600])("of %d does not exist [R-SUB-8]", (status) => {
    expect(notificationKind(status)).toBeUndefined();
  });
});

describe("a problem", () => {
  it("says its status, and takes its title from it [R-SUB-11]", () => {
    expect(JSON.stringify(createProblem(404, "There is no artist 9."))).toBe(
      '{"type":"about:blank","title":"Not Found","status":404,"detail":"There is no artist 9."}',
    );
  });

  it("may have a type and members of its own, but no other status [R-SUB-11]", () => {
    const problem = createProblem(422, "No.", { type: "/problems/window", title: "Window", status: 200, limit: 5 });
    expect(problem).toEqual({ type: "/problems/window", title: "Window", status: 422, detail: "No.", limit: 5 });
  });

  it("is sent as problem+json, that field first [R-SUB-11]", () => {
    const response = problemResponse(createProblem(429, "Wait."), [["Retry-After", "3"]]);
    expect(encodeResponse(response)).toBe(
      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: 3\r\n\r\n" +
        '{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Wait."}',
    );
  });

  it("has an empty title where the status is not registered", () => {
    expect(reasonPhrase(299)).toBe("");
    expect(createProblem(499, "x").title).toBe("");
  });
});

describe("a position", () => {
  it("is written and read without loss [R-POS-2]", () => {
    const whole = fc.maxSafeNat();
    const segment = fc.string({ unit: fc.constantFrom(..."abcXYZ019-._~"), minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(segment, whole, whole, (part, position, check) => {
        expect(parseEventId(formatEventId(part, position, check))).toEqual({
          kind: "direct",
          segment: part,
          position,
          check,
        });
      }),
      runs,
    );
  });

  it.each([
    ["", 1, 1],
    ["a:b", 1, 1],
    ["a b", 1, 1],
    ["a", -1, 1],
    ["a", 1.5, 1],
    ["a", 1, 2 ** 53],
    ["a", Number.NaN, 1],
    ["a".repeat(128), 1, 1],
  ])("is not made of %j, %d, %d [R-POS-1]", (segment, position, check) => {
    expect(() => formatEventId(segment, position, check)).toThrow(RangeError);
  });
});

describe("Items", () => {
  it("are read as they were written, whatever the names [R-FLD-2] [R-FLD-3]", () => {
    fc.assert(
      fc.property(name, name, name, (list, record, url) => {
        const items = { list: formatPointer(list), record: formatPointer(record), url: `/${url}` };
        const field = formatItems(items);
        expect(field).toMatch(/^[ -~]*$/);
        expect(parseItems(field)).toEqual(items);
      }),
      runs,
    );
  });

  it("of one record say where it is, and nothing of a list [R-FLD-2] [R-FLD-3]", () => {
    fc.assert(
      fc.property(name, (record) => {
        const field = formatItems({ record: formatPointer(record) });
        expect(parseItems(field)).toBeUndefined();
        expect(parseAnyItems(field)?.record).toBe(formatPointer(record));
      }),
      runs,
    );
    expect(formatItems({ record: "/artist" })).toBe('record="/artist"');
  });

  it("lead from a row to its URL by any column [R-FLD-4]", () => {
    fc.assert(
      fc.property(name, name, (column, key) => {
        const row = Object.fromEntries([[column, key]]);
        expect(expandUrlTemplate(`/x/${urlTemplateExpression(column)}`, row)).toBe(`/x/${encodeUrlPart(key)}`);
        expect(decodeURIComponent(encodeUrlPart(key))).toBe(key);
        expect(encodeUrlPart(key)).toMatch(/^[A-Za-z0-9\-._~%]*$/);
      }),
      runs,
    );
  });
});

describe("a JSON pointer", () => {
  const document = { artists: [{ id: 1 }, null], "a/b": { "m~n": 2 }, "": 3, list: { 0: "x" } };

  it.each([
    ["", document],
    ["/artists", document.artists],
    ["/artists/0/id", 1],
    ["/artists/1", null],
    ["/a~1b/m~0n", 2],
    ["/", 3],
    ["/list/0", "x"],
    ["/none", undefined],
    ["/artists/2", undefined],
    ["/artists/00", undefined],
    ["/artists/-", undefined],
    ["/artists/length", undefined],
    ["/artists/1/id", undefined],
    ["/artists/0/id/toFixed", undefined],
    ["/toString", undefined],
    ["/__proto__", undefined],
    ["artists", undefined],
    ["/a~2b", undefined],
    ["/a~", undefined],
  ])("%j names what RFC 6901 says [R-FLD-3]", (pointer, value) => {
    expect(resolvePointer(document, pointer)).toEqual(value);
  });

  it("is made of names", () => {
    expect(formatPointer("a/b", "m~n")).toBe("/a~1b/m~0n");
    expect(formatPointer()).toBe("");
  });
});

describe("Item-Order", () => {
  it("is read as it was written, whatever the names [R-FLD-5]", () => {
    const part = fc.record({ name, descending: fc.boolean() });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (order) => {
        expect(parseItemOrder(formatItemOrder(order))).toEqual(order);
      }),
      runs,
    );
  });

  it("is not made of nothing", () => {
    expect(() => formatItemOrder([])).toThrow(TypeError);
    expect(() => formatItemOrder([{ name: "", descending: false }])).toThrow(TypeError);
  });

  it("sorts rows by the first name, then by the next [R-FLD-6]", () => {
    const rows = [{ a: 1, b: "x" }, { a: 2 }, { a: 1, b: "y" }, { b: "z" }, { a: 10n }];
    const order = parseItemOrder("a.desc,b.asc") ?? [];
    expect([...rows].sort(compareByItemOrder(order))).toEqual([rows[4], rows[1], rows[0], rows[2], rows[3]]);
  });

  it("sorts text as its UTF-8 bytes are sorted [R-FLD-6]", () => {
    const compare = compareByItemOrder([{ name: "text", descending: false }]);
    fc.assert(
      fc.property(name, name, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compare({ text: a }, { text: b }))).toBe(bytes);
      }),
      runs,
    );
  });
});

describe("a close", () => {
  it("for a status is 4000 + it [R-CLOSE-1]", () => {
    expect(closeCodeForStatus(404)).toBe(4404);
  });

  it("has a reason of at most 123 bytes, cut between characters [R-CLOSE-3]", () => {
    expect(truncateReason("short")).toBe("short");
    expect(truncateReason("a".repeat(200))).toBe("a".repeat(123));
    expect(truncateReason("\u00e4".repeat(200))).toBe("\u00e4".repeat(61));
    expect(truncateReason(`a${"\u{1f3b8}".repeat(40)}`)).toBe(`a${"\u{1f3b8}".repeat(30)}`);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const reason = truncateReason(text);
        const [next = ""] = text.slice(reason.length);
        expect(text.startsWith(reason)).toBe(true);
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
        if (next !== "") expect(Buffer.byteLength(reason + next)).toBeGreaterThan(123);
      }),
      runs,
    );
  });
});

describe("small things that both ends know", () => {
  it("a bearer token comes through the subprotocols", () => {
    for (const token of ["abc", "a.b-c_d~e+f/g==", "eyJhbGciOiJIUzI1NiJ9.e30.x"]) {
      const carrier = bearerSubprotocol(token);
      expect(carrier).toMatch(/^rocket\.bearer\.[A-Za-z0-9_-]+$/);
      expect(chooseSubprotocol(["rocket.v1", carrier])).toEqual({ level: 1, echo: "rocket.v1", bearer: token });
    }
    for (const token of ["", "a b", "a\r\nb", "\u00e4"]) expect(() => bearerSubprotocol(token)).toThrow(TypeError);
  });

  it("a Request-ID is a token of 1 to 64 characters", () => {
    for (const id of ["1", "a-b_c.d~e", "x".repeat(64)]) expect(isRequestId(id)).toBe(true);
    for (const id of ["", "x".repeat(65), "a b", "a,b", '"a"', "\u00e4", "a\n"]) expect(isRequestId(id)).toBe(false);
  });

  it.each([
    [[["Prefer", "handling=strict"]], true],
    [[["prefer", "return=minimal, Handling = STRICT"]], true],
    [[["Prefer", 'handling="strict"; x=1']], true],
    [
      [
        ["Prefer", "wait=5"],
        ["Prefer", "handling=strict"],
      ],
      true,
    ],
    [[["Prefer", "handling=lenient, handling=strict"]], false],
    [[["Prefer", "handling"]], false],
    [[["Prefer", "x; handling=strict"]], false],
    [[["X-Prefer", "handling=strict"]], false],
    [[], false],
  ] as const)("Prefer in %j asks for strict handling: %j", (fields, isStrict) => {
    expect(prefersStrict(fields)).toBe(isStrict);
  });

  it.each([
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['"b", "a"', '"a"', true],
    ['"b","a,c" , W/"d"', '"a,c"', true],
    ["*", '"a"', true],
    ['"b"', '"a"', false],
    ['"a', '"a"', false],
    ["a", '"a"', false],
    ["", '"a"', false],
    ['"b,"a""', '"a"', false],
  ])("If-None-Match: %s names %s: %j", (list, etag, isNamed) => {
    expect(matchesEntityTag(list, etag)).toBe(isNamed);
  });

  it.each([
    ['"a"', "gzip", '"a;gzip"'],
    ['"a"', "br", '"a;br"'],
    ['W/"a"', "gzip", 'W/"a"'],
  ])(
    "an entity tag %s is another one in a content coding, and names the same state [R-FLD-11]",
    (etag, coding, coded) => {
      expect(codedEntityTag(etag, coding)).toBe(coded);
      expect(plainEntityTags(`"b", ${coded}`)).toBe(`"b", ${etag}`);
      expect(matchesEntityTag(`"b", ${coded}`, etag)).toBe(true);
      expect(matchesEntityTag('"b;gzip"', etag)).toBe(false);
    },
  );

  it("the well-known URL and the times are as published", () => {
    expect({ wellKnownPath, heartbeatMs, silenceMs }).toEqual({
      wellKnownPath: "/.well-known/rocket",
      heartbeatMs: 20_000,
      silenceMs: 27_000,
    });
  });
});
