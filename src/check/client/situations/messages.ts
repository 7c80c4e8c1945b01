import { demand } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";
import { messageWays, type Way } from "../way.ts";

const four: Row = { id: 4, name: "four" };

async function opened(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  visit.open();
  await stage.settle(visit.link);
  return visit;
}

/** A way to send a message, whose record must enter. */
interface Spelling {
  readonly name: string;
  readonly requirement: string;
  readonly title: string;
  /** Default: WebSockets. */
  readonly ways?: readonly Way[];
  readonly send: (visit: Visit, message: string) => void;
}

const spellings: readonly Spelling[] = [
  {
    name: "binary",
    requirement: "R-MSG-2",
    title: "takes messages in binary frames",
    send: ({ socket }, message) => socket.send(Buffer.from(message)),
  },
  {
    name: "bare-lf",
    requirement: "R-MSG-4",
    title: "takes lines that end with LF",
    send: ({ link }, message) => link.send(message.replaceAll("\r\n", "\n")),
  },
  {
    name: "blanks",
    requirement: "R-MSG-8",
    title: "takes blanks and tabs around values",
    ways: messageWays,
    send: ({ link }, message) => link.send(message.replace(/^(Content-Location): (\S+)/m, "$1: \t $2 \t ")),
  },
  {
    name: "case",
    requirement: "R-MSG-14",
    title: "compares names without case, and ignores fields that it does not know",
    ways: messageWays,
    send: ({ link }, message) => {
      link.send(message.replace("Content-Location", "CONTENT-location").replace("\r\n", "\r\nRocket-Check: a\r\n"));
    },
  },
  {
    name: "length",
    requirement: "R-MSG-10",
    title: "takes a Content-Length that is right",
    send: ({ link }, message) => {
      const length = Buffer.byteLength(message.slice(message.indexOf("\r\n\r\n") + 4));
      link.send(message.replace("\r\n", `\r\nContent-Length: ${length}\r\n`));
    },
  },
  {
    name: "fragments",
    requirement: "RFC6455-5.4",
    title: "takes a message in fragments of one byte, with pings between them",
    send: ({ socket }, message) => socket.sendInPieces(message, 1),
  },
  {
    name: "unknown-status",
    requirement: "R-SUB-8",
    title: "ignores a notification with a 2xx that is not in the table",
    ways: messageWays,
    send: (visit, message) => {
      const fields = [
        ["Content-Type", "application/json"],
        ["Content-Location", "/unknown-status/items/5"],
      ] as const;
      visit.link.send(visit.format(226, fields, '{"item":{"id":5}}'));
      visit.link.send(message);
    },
  },
];

function spelt({ send, ...checked }: Spelling): Situation {
  return {
    ...checked,
    play: async (stage) => {
      const visit = await opened(stage);
      send(visit, visit.change(201, four));
      await stage.settle(visit.link);
    },
  };
}

const unknownMember: Situation = {
  name: "unknown-member",
  requirement: "R-FLD-3",
  title: "ignores members of Items that it does not know, of any type, and parameters",
  ways: messageWays,
  play: async (stage) => {
    const visit = await opened(stage);
    stage.restart([four]);
    const { fields, body } = stage.document();
    const more = fields.map(
      ([name, value]) => [name, name === "Items" ? `x="y", a=(1 b);c, ${value};d=2, zz` : value] as const,
    );
    visit.link.send(visit.format(200, [...more, ["Event-ID", stage.position]], body));
    visit.mark();
    await stage.settle(visit.link);
  },
};

const without = (message: string, name: string) =>
  message
    .split("\r\n")
    .filter((line) => !line.startsWith(name))
    .join("\r\n");
const extra = (line: string) => (message: string) => message.replace("\r\n", `\r\n${line}\r\n`);
const status = (line: string) => (message: string) => message.replace("201 Created", line);

/** What makes a message one that must be refused. */
const garbles: readonly (readonly [
  name: string,
  requirement: string,
  what: string,
  spoilt: (message: string) => string,
  ways?: readonly Way[],
])[] = [
  ["garbage", "R-MSG-3", "that is none", () => "garbage"],
  ["lone-cr", "R-MSG-4", "with a CR that no LF follows", extra("X-A: a\rb")],
  ["informational", "R-MSG-6", "with the status 101", status("101 Switching")],
  ["large-status", "R-MSG-6", "with the status 600", status("600 Created")],
  ["blank-before-colon", "R-MSG-7", "with a blank before a colon", extra("X-A : a"), messageWays],
  ["control", "R-MSG-9", "with a control character in a value", extra("X-A: a\u0001b"), messageWays],
  ["wrong-length", "R-MSG-10", "with a Content-Length that is wrong", extra("Content-Length: 1")],
  ["transfer-encoding", "R-MSG-11", "with Transfer-Encoding", extra("Transfer-Encoding: chunked"), messageWays],
  [
    "nameless",
    "R-SUB-16",
    "of a list without Content-Location",
    (one) => without(one, "Content-Location"),
    messageWays,
  ],
  ["body-of-204", "R-MSG-12", "that is a 204 with a body", status("204 No Content")],
];

function garbled([name, requirement, what, spoilt, ways = ["socket"]]: (typeof garbles)[number]): Situation {
  return {
    name: `refuses-${name}`,
    requirement,
    title: `refuses a message ${what}, and closes: a WebSocket with 1002`,
    ways,
    play: async (stage) => {
      const visit = await opened(stage);
      const fields = [
        ["Content-Type", "application/json"],
        ["Content-Location", `${stage.target}/66`],
      ] as const;
      visit.link.send(spoilt(visit.format(201, fields, '{"item":{"id":66,"name":"garbled"}}')));
      const { link } = visit;
      demand(await link.gone(stage.ms(5_000)), "The client closes.", "The connection stays open.");
      const isRight = link.closedWith === 1002 || link.way !== "socket";
      demand(isRight, "A close with 1002.", `It is closed with ${link.closedWith}.`);
    },
  };
}

/** Messages in spellings that a client must take, and those that it must refuse. */
export const messageSituations: readonly Situation[] = [
  ...spellings.map(spelt),
  unknownMember,
  ...garbles.map(garbled),
];
