import { demand } from "../../fault.ts";
import { type Field, formatHead } from "../../wire/http.ts";
import { spellEvent } from "../../wire/spell.ts";
import type { HttpLink } from "../http-link.ts";
import type { Situation } from "../stage.ts";
import type { Row } from "../visit.ts";
import type { Way } from "../way.ts";
import { four, opened, resumed, two } from "./visits.ts";

const ways: readonly Way[] = ["events"];

/** A way to write an event, whose record must enter. */
interface Spelling {
  readonly name: string;
  readonly requirement: string;
  readonly title: string;
  /** Default: four. */
  readonly row?: Row;
  readonly write: (http: HttpLink, message: string) => void | Promise<void>;
}

/** A message whose body stands on several lines. */
function withLines(message: string, lineEnd: string): string {
  const end = message.indexOf("\r\n\r\n") + 4;
  const body = JSON.stringify(JSON.parse(message.slice(end)), undefined, 1);
  return message.slice(0, end) + body.replaceAll("\n", lineEnd);
}

/** A message about a record that must not be taken in. */
function trapOf(http: string, status = 201): string {
  const fields: Field[] = [
    ["Content-Type", "application/json"],
    ["Content-Location", `${http}/66`],
  ];
  return `${formatHead(`HTTP/1.1 ${status} Created`, fields)}{"item":{"id":66,"name":"not to be taken"}}`;
}

const spellings: readonly Spelling[] = [
  {
    name: "event-in-pieces",
    requirement: "R-STR-7",
    title: "reads events wherever the pieces in which they come are cut, within lines and characters too",
    row: { id: 4, name: "vier, \u00e4 \u20ac \u{1f600}" },
    write: (http, message) => http.writeInPieces(spellEvent(message), 1),
  },
  {
    name: "crs",
    requirement: "R-STR-7",
    title: "takes a CR for the end of a line",
    write: (http, message) => http.write(`${spellEvent(message, { lineEnd: "\r" })}:\r`),
  },
  {
    name: "crlfs",
    requirement: "R-STR-7",
    title: "takes CRLF for one end of a line, also where it is cut in two",
    write: async (http, message) => {
      const text = spellEvent(message, { lineEnd: "\r\n" });
      await http.writeInPieces(text, 1);
    },
  },
  {
    name: "mixed-line-ends",
    requirement: "R-STR-7",
    title: "takes CR, LF and CRLF in one event",
    write: (http, message) => {
      const ends = ["\r\n", "\r", "\n"];
      let at = 0;
      // An empty line is CRLF or LF alone: a CR and an LF beside each other would be one end.
      const text = spellEvent(message).replace(/\n(?!\n|$)/g, () => ends[at++ % ends.length] ?? "\n");
      http.write(text);
    },
  },
  {
    name: "field-rules",
    requirement: "R-STR-7",
    title:
      "takes the last event, values without a blank, fields without a colon, and ignores fields that there are not",
    write: (http, message) => {
      const lines = spellEvent(message).split("\n");
      const spelt = lines.flatMap((line) => {
        if (line.startsWith("event: ")) return ["event: 204", "foo: bar", "baz", "retry: 10x", line.replace(": ", ":")];
        return [line === "data:" ? "data" : line.replace(/^(data|id): /, "$1:")];
      });
      http.write(spelt.join("\n"));
    },
  },
  {
    name: "event-lines",
    requirement: "R-STR-3",
    title: "puts the data lines of an event together with LF",
    write: (http, message) => http.write(spellEvent(withLines(message, "\n"))),
  },
  {
    name: "base64",
    requirement: "R-STR-4",
    title: "takes a body in base64 for its bytes",
    row: { id: 4, name: "vier, \u00e4 \u20ac" },
    write: (http, message) => http.write(spellEvent(withLines(message, "\r\n"), { isCoded: true })),
  },
  {
    name: "comments",
    requirement: "R-STR-6",
    title: "ignores comments anywhere, and takes a retry within an event",
    write: (http, message) => {
      const lines = spellEvent(message).split("\n");
      const between = [":", ": event: 204", ":data: x", "retry: 320"];
      const commented = lines.slice(0, -2).flatMap((line, at) => [between[at % between.length] ?? ":", line]);
      http.write(`:\n\n: a comment\n\n${commented.join("\n")}\n\n`);
    },
  },
];

function spelt({ write, row = four, ...checked }: Spelling): Situation {
  return {
    ...{ ...checked, ways },
    play: async (stage) => {
      const visit = await opened(stage);
      await write(visit.http, visit.change(201, row));
      await stage.settle(visit.link);
    },
  };
}

const bom: Situation = {
  ...{ name: "bom", requirement: "R-STR-7", title: "takes a BOM at the beginning away", ways },
  play: async (stage) => {
    const visit = await stage.firstOfLevel1();
    visit.http.begin("\ufeff");
    visit.open();
    await stage.settle(visit.link);
  },
};

const half: Situation = {
  name: "half-event",
  requirement: "R-STR-7",
  title: "takes no event that no empty line follows when the stream ends, and resumes before it",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    visit.tell(202, two);
    await stage.settle(visit.link);
    const before = stage.position;
    const fields: Field[] = [
      ["Content-Type", "application/json"],
      ["Content-Location", stage.urlOf(four)],
      ["Event-ID", "c1:9.9"],
    ];
    visit.link.tear(visit.format(201, fields, '{"item":{"id":4,"name":"torn"}}'));
    const next = await resumed(stage, before);
    next.open();
    await stage.settle(next.link);
  },
};

/** Names that are no status from 200 to 599; empty for an event without one. */
const strangers = ["ping", "100", "199", "600", "2010", "20", " 201", "patch", ""];

const strange: Situation = {
  name: "unknown-events",
  requirement: "R-STR-8",
  title: "ignores events whose names are no status from 200 to 599, and those without a name",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    for (const name of strangers) {
      const text = spellEvent(trapOf(stage.target), { name });
      visit.http.write(name === "" ? text.replace(/^event: \n/, "") : text);
    }
    visit.http.write("event: update\ndata: {}\n\n");
    visit.tell(201, four);
    await stage.settle(visit.link);
  },
};

/** Events that have the name of a status, and are no message of it. */
const garbles: readonly (readonly [name: string, what: string, text: (target: string) => string])[] = [
  ["event-garbage", "no message", () => "event: 201\ndata: garbage\n\n"],
  [
    "event-of-another-status",
    "a message of another status",
    (target) => spellEvent(trapOf(target, 202), { name: "201" }),
  ],
  ["event-not-base64", "a body that is no base64, though it says so", badBase64],
];

function badBase64(target: string): string {
  return spellEvent(trapOf(target)).replace("data:\n", "data: Content-Transfer-Encoding: base64\ndata:\n");
}

function garbled([name, what, textOf]: (typeof garbles)[number]): Situation {
  return {
    ...{ name, requirement: "R-STR-8", title: `ends the stream at an event named 201 whose data is ${what}`, ways },
    play: async (stage) => {
      const visit = await opened(stage);
      visit.http.write(textOf(stage.target));
      demand(await visit.link.gone(stage.ms(5_000)), "The client ends the stream.", "It goes on reading.");
    },
  };
}

/** How event streams are written. */
export const eventSituations: readonly Situation[] = [
  ...spellings.map(spelt),
  bom,
  half,
  strange,
  ...garbles.map(garbled),
];
