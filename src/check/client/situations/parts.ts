import { demand } from "../../fault.ts";
import type { Field } from "../../wire/http.ts";
import { spellPart } from "../../wire/spell.ts";
import type { HttpLink } from "../http-link.ts";
import type { Situation } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";
import type { Way } from "../way.ts";
import { four, opened, resumed, two } from "./visits.ts";

const ways: readonly Way[] = ["parts"];

/** Blanks and line ends that JSON allows, and that look like the end of a message. */
const blanks = "\r\n\r\n\t \n\n";

function padded(message: string): string {
  const end = message.indexOf("\r\n\r\n") + 4;
  return `${message.slice(0, end)}${blanks}${message.slice(end)}${blanks}`;
}

/** A way to write a message, whose record must enter. */
interface Spelling {
  readonly name: string;
  readonly requirement: string;
  readonly title: string;
  readonly row?: Row;
  readonly write: (http: HttpLink, message: string) => void | Promise<void>;
}

const spellings: readonly Spelling[] = [
  {
    name: "part-in-pieces",
    requirement: "R-STR-10",
    title: "reads messages wherever the pieces in which they come are cut",
    row: { id: 4, name: "vier, \u00e4 \u20ac \u{1f600}" },
    write: (http, message) => http.writeInPieces(spellPart(message), 1),
  },
  {
    name: "part-gaps",
    requirement: "R-STR-10",
    title: "ignores any number of empty lines before a status line",
    write: (http, message) => http.write(`\r\n\r\n\n\r\n${spellPart(message)}\r\n\r\n`),
  },
  {
    name: "part-length",
    requirement: "R-STR-10",
    title: "takes Content-Length for bytes, in any case and place, whatever the body looks like",
    row: { id: 4, name: "vier, \u00e4 \u20ac \u{1f600}" },
    write: (http, message) => {
      const text = spellPart(padded(message));
      const length = /\r\nContent-Length: ([0-9]+)/.exec(text)?.[1];
      const bare = text.replace(/\r\nContent-Length: [0-9]+/, "");
      http.write(bare.replace("\r\n", `\r\ncONTENT-lENGTH:\t${length} \r\n`));
    },
  },
  {
    name: "part-bare-lf",
    requirement: "R-MSG-4",
    title: "takes lines of a head that end with LF",
    write: (http, message) => http.write(spellPart(message).replaceAll("\r\n", "\n")),
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

const together: Situation = {
  name: "parts-together",
  requirement: "R-STR-10",
  title: "reads messages that come at once, with nothing between them",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    const messages = [visit.change(201, four), visit.change(202, two), visit.change(204, { id: 3 })];
    visit.http.write(messages.map((message) => spellPart(message).slice(0, -2)).join(""));
    await stage.settle(visit.link);
  },
};

function tornOf(stage: { urlOf(row: Row): string }, visit: Visit): string {
  const fields: Field[] = [
    ["Content-Type", "application/json"],
    ["Content-Location", stage.urlOf(four)],
    ["Event-ID", "c1:9.9"],
  ];
  return visit.format(201, fields, '{"item":{"id":4,"name":"torn"}}');
}

const half: Situation = {
  name: "half-part",
  requirement: "R-STR-10",
  title: "takes no message of which the end did not come, and resumes before it",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    visit.tell(202, two);
    await stage.settle(visit.link);
    const before = stage.position;
    visit.link.tear(tornOf(stage, visit));
    const next = await resumed(stage, before);
    next.open();
    await stage.settle(next.link);
  },
};

const lengthless: Situation = {
  name: "part-without-length",
  requirement: "R-STR-10",
  title: "ends the stream at a message without Content-Length that is no 204 or 304",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    visit.http.write(tornOf(stage, visit));
    demand(await visit.link.gone(stage.ms(5_000)), "The client ends the stream.", "It goes on reading.");
  },
};

/** How HTTP streams are written. */
export const partSituations: readonly Situation[] = [...spellings.map(spelt), together, half, lengthless];
