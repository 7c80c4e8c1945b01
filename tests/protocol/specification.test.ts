import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { feedTransitions } from "../../src/client/feed-state.ts";
import { expandUrlTemplate, parsePointer } from "../../src/protocol/index.ts";
import { Grammar } from "./abnf.ts";
import { definedIds } from "./requirements.ts";
import {
  dataOf,
  eventIdVectors,
  itemOrderVectors,
  type MessageVector,
  messageVectors,
  subprotocolVectors,
  urlTemplateVectors,
} from "./vectors.ts";

const text = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, code = ""]) => code);
const grammar = new Grammar(blocks("abnf").join("\n"));

/** A message as the octets that HTTP would have, one character each. */
function octetsOf(vector: MessageVector): string {
  const data = dataOf(vector);
  if (typeof data !== "string") return Buffer.from(data).toString("latin1");
  const end = data.search(/\r?\n\r?\n/);
  return data.slice(0, end) + Buffer.from(data.slice(end)).toString("latin1");
}

/** Whether a grammar can say what is wrong: lengths, hosts and bodies are in the text. */
function isOfGrammar({ requirement, closeCode }: MessageVector): boolean {
  return closeCode === undefined || (closeCode === 1002 && !/^R-MSG-1[012]$/.test(requirement));
}

function isUtf8(text: string): boolean {
  try {
    return decodeURIComponent(text) !== "";
  } catch {
    return false;
  }
}

describe("the collected ABNF", () => {
  it.each(messageVectors.filter(isOfGrammar))("takes a message for one where the vector does: $name", (vector) => {
    expect(grammar.matches(vector.kind, octetsOf(vector))).toBe(vector.closeCode === undefined);
  });

  it("takes positions, and the parts of those that have some, as the vectors do", () => {
    for (const { eventId, valid, parts } of eventIdVectors) {
      expect([eventId, grammar.matches("Event-ID", eventId)]).toEqual([eventId, valid]);
      if (parts) expect(grammar.matches(`${parts.kind}-position`, eventId)).toBe(true);
      else if (!/[0-9]{16}/.test(eventId)) {
        expect(grammar.matches("direct-position", eventId) || grammar.matches("derived-position", eventId)).toBe(false);
      }
    }
    expect(grammar.matches("Last-Event-ID", "*")).toBe(true);
  });

  it("takes orders, templates, pointers and bearer tokens as the vectors and the code do", () => {
    for (const { field, order } of itemOrderVectors.filter((vector) => isUtf8(vector.field))) {
      expect([field, grammar.matches("Item-Order", field)]).toEqual([field, order !== null]);
    }
    const row = new Proxy({}, { get: () => "x", getOwnPropertyDescriptor: () => ({ value: "x", configurable: true }) });
    for (const { template } of urlTemplateVectors.filter((vector) => isUtf8(vector.template))) {
      const isTemplate = expandUrlTemplate(template, row) !== undefined;
      expect([template, grammar.matches("url-template", template)]).toEqual([template, isTemplate]);
    }
    for (const pointer of ["", "/", "/a/0", "/~0~1", "a", "/~", "/~2", "/\u{1F600}"]) {
      expect([pointer, grammar.matches("json-pointer", pointer)]).toEqual([
        pointer,
        parsePointer(pointer) !== undefined,
      ]);
    }
    for (const { offered, bearer } of subprotocolVectors.filter((vector) => vector.bearer !== null)) {
      expect([bearer, offered.some((name) => grammar.matches("bearer-offer", name))]).toEqual([bearer, true]);
    }
  });

  it.each([
    ["a = b", "b is not defined"],
    ["a = a", "a names itself"],
    ['a = "x"\nA = "y"', "A is defined twice"],
    ["a = ( %x41", "A group has no end"],
    ['a = "x" & "y"', "a is no ABNF"],
  ])("would be refused as %j", (rules, why) => {
    expect(() => new Grammar(rules)).toThrow(why);
  });
});

describe("the specification", () => {
  it("says for each area which classes must meet it, and for no other", () => {
    const areas = new Set(definedIds(text).map((id) => id.replace(/-[0-9]+$/, "")));
    const rows = [...text.matchAll(/^\| (R-[A-Z0-9]+) \| [^\n]* \|$/gm)].map(([, area = ""]) => area);
    expect(rows.toSorted()).toEqual([...areas].toSorted());
  });

  it("has the client's states as they are in the code", () => {
    const [diagram = ""] = blocks("mermaid").filter((code) => code.includes("early"));
    const drawn = [...diagram.matchAll(/^ {2}(\w+) --> (\w+): ([^\n]+)$/gm)].flatMap(([, from, to, events = ""]) =>
      events.split(/\([^)]*\)|,/).flatMap((event) => (event.trim() === "" ? [] : [`${from} ${event.trim()} ${to}`])),
    );
    const real = Object.entries(feedTransitions).flatMap(([from, events]) =>
      Object.entries(events).map(([event, to]) => `${from} ${event} ${to}`),
    );
    expect(drawn.toSorted()).toEqual(real.toSorted());
  });

  it("lists each RFC that it cites among its references, and no other", () => {
    const [body = "", references = ""] = text.split("## 20. References\n");
    const numbersIn = (part: string): string[] =>
      [...part.matchAll(/RFC ([0-9]{4})/g)].map(([, number = ""]) => number);
    const [listed = "", appendices = ""] = references.split("## Appendix A.");
    expect([...new Set(numbersIn(listed))].toSorted()).toEqual([...new Set(numbersIn(body + appendices))].toSorted());
  });
});
