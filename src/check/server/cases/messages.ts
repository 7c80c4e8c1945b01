import { demand, shown, skip } from "../../fault.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** Requests that are messages, in spellings that a receiver must take. `$` stands for the target. */
const accepted: readonly (readonly [requirement: string, what: string, message: string | Buffer])[] = [
  ["R-MSG-2", "in a text frame", "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\n\r\n"],
  ["R-MSG-2", "in a binary frame", Buffer.from("UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\n\r\n")],
  [
    "R-MSG-2",
    "with the octet 0xE9 in a binary head",
    Buffer.from("UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\nX-A: \xe9\r\n\r\n", "latin1"),
  ],
  ["R-MSG-4", "whose lines end with a bare LF", "UNSUBSCRIBE $ HTTP/1.1\nRequest-ID: ok\n\n"],
  ["R-MSG-4", "whose lines end with CRLF and LF by turns", "UNSUBSCRIBE $ HTTP/1.1\nRequest-ID: ok\r\n\n"],
  ["R-MSG-8", "with blanks around a value", "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: \t ok \t \r\n\r\n"],
  ["R-MSG-8", "without a blank before a value", "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID:ok\r\n\r\n"],
  [
    "R-MSG-9",
    "with the character U+00E9 in a value",
    "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\nX-A: \u00e9\r\n\r\n",
  ],
  ["R-MSG-9", "with a tab within a value", "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\nX-A: a\tb\r\n\r\n"],
  ["R-MSG-10", "with a Content-Length of 0", "UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\nContent-Length: 0\r\n\r\n"],
  ["R-MSG-14", "with a field's name in other case", "UNSUBSCRIBE $ HTTP/1.1\r\nREQUEST-id: ok\r\n\r\n"],
  ["R-MSG-14", "with a field that nobody knows", "UNSUBSCRIBE $ HTTP/1.1\r\nRocket-Check: 1\r\nRequest-ID: ok\r\n\r\n"],
  ["R-MSG-15", "with 64 fields", `UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\n${"X-A: b\r\n".repeat(63)}\r\n`],
  ["R-MSG-15", "with a start line of 8 KiB", `UNSUBSCRIBE $${"x".repeat(8_191)} HTTP/1.1\r\nRequest-ID: ok\r\n\r\n`],
  [
    "R-MSG-15",
    "with a head of 16 KiB",
    `UNSUBSCRIBE $ HTTP/1.1\r\nRequest-ID: ok\r\nX-A: ${"x".repeat(16_384)}\r\n\r\n`,
  ],
];

const id = "Request-ID: no\r\n";

/** Messages that a receiver must refuse with 1002. */
const refused: readonly (readonly [requirement: string, what: string, message: string | Buffer])[] = [
  ["R-MSG-1", "that has no empty line", "SUBSCRIBE $ HTTP/1.1\r\nRequest-ID: no\r\n"],
  ["R-MSG-1", "that is a response", "HTTP/1.1 200 OK\r\nRequest-ID: no\r\n\r\n"],
  ["R-MSG-2", "whose head has a character above U+00FF", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A: \u0100\r\n\r\n`],
  ["R-MSG-3", "that is no message", "not a message"],
  ["R-MSG-3", "that is empty", ""],
  ["R-MSG-3", "in binary that is no message", Buffer.from([0, 1, 2, 3])],
  ["R-MSG-4", "with a CR that no LF follows", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A: a\rb\r\n\r\n`],
  ["R-MSG-4", "with a CR for a line end", "SUBSCRIBE $ HTTP/1.1\rRequest-ID: no\r\r"],
  ["R-MSG-4", "with U+0085 for a line end", "SUBSCRIBE $ HTTP/1.1\u0085Request-ID: no\u0085\u0085"],
  ["R-MSG-4", "with a vertical tab for a line end", "SUBSCRIBE $ HTTP/1.1\x0bRequest-ID: no\x0b\x0b"],
  ["R-MSG-5", "with a target in absolute form", `SUBSCRIBE http://example.com$ HTTP/1.1\r\n${id}\r\n`],
  ["R-MSG-5", "with a fragment in its target", `SUBSCRIBE $#a HTTP/1.1\r\n${id}\r\n`],
  ["R-MSG-5", "with a target that does not begin with a slash", `SUBSCRIBE artists HTTP/1.1\r\n${id}\r\n`],
  ["R-MSG-5", "with a character in its target that is not ASCII", `SUBSCRIBE $\u00e9 HTTP/1.1\r\n${id}\r\n`],
  ["R-MSG-5", "with two blanks in its first line", `SUBSCRIBE  $ HTTP/1.1\r\n${id}\r\n`],
  ["R-MSG-5", "of HTTP/1.0", `SUBSCRIBE $ HTTP/1.0\r\n${id}\r\n`],
  ["R-MSG-5", "without a version", `SUBSCRIBE $\r\n${id}\r\n`],
  ["R-MSG-7", "with a blank before a colon", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A : b\r\n\r\n`],
  ["R-MSG-7", "with a folded line", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A: b\r\n c\r\n\r\n`],
  ["R-MSG-7", "with an empty name", `SUBSCRIBE $ HTTP/1.1\r\n${id}: b\r\n\r\n`],
  ["R-MSG-7", "with a line without a colon", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A\r\n\r\n`],
  ["R-MSG-9", "with NUL in a value", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A: a\0b\r\n\r\n`],
  ["R-MSG-9", "with DEL in a value", `SUBSCRIBE $ HTTP/1.1\r\n${id}X-A: a\x7fb\r\n\r\n`],
  ["R-MSG-10", "with a Content-Length that is too large", `SUBSCRIBE $ HTTP/1.1\r\n${id}Content-Length: 1\r\n\r\n`],
  ["R-MSG-10", "with a Content-Length that is no number", `SUBSCRIBE $ HTTP/1.1\r\n${id}Content-Length: +0\r\n\r\n`],
  [
    "R-MSG-10",
    "with two Content-Lengths",
    `SUBSCRIBE $ HTTP/1.1\r\n${id}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`,
  ],
  ...["Transfer-Encoding: identity", "Connection: close", "Upgrade: h2c", "TE: trailers", "Trailer: X"].map(
    (field) => ["R-MSG-11", `with ${field}`, `SUBSCRIBE $ HTTP/1.1\r\n${id}${field}\r\n\r\n`] as const,
  ),
  ["R-MSG-11", "with two Hosts", `SUBSCRIBE $ HTTP/1.1\r\n${id}Host: a\r\nHost: a\r\n\r\n`],
];

/** Puts a target in the place of `$`; sizes are made exact where the message is about one. */
function withTarget(message: string | Buffer, target: string): string | Buffer {
  if (typeof message !== "string") return Buffer.from(message.toString("latin1").replace("$", target), "latin1");
  const full = message.replace("$", target);
  const start = full.indexOf("\r\n");
  if (start > 8_192) return full.replace("x".repeat(start - 8_192), "");
  const head = full.indexOf("\r\n\r\n") + 4;
  return head > 16_384 ? full.replace("x".repeat(head - 16_384), "") : full;
}

async function mustTake(trial: Trial, message: string | Buffer): Promise<void> {
  const peer = await trial.bare();
  peer.send(withTarget(message, trial.missing));
  const expected = "An answer with Request-ID: ok.";
  const answer = await peer.until(expected);
  demand(fieldOf(answer, "request-id") === "ok", expected, shown(answer.text));
}

async function mustRefuse(trial: Trial, message: string | Buffer): Promise<void> {
  const peer = await trial.bare();
  peer.send(withTarget(message, trial.site.target));
  const { code } = await peer.closed("A close with 1002.");
  const acted = peer.rest();
  demand(acted.length === 0, "No answer to any part of it.", shown(acted[0]?.text ?? ""));
  demand(code === 1002, "A close with 1002.", `It is closed with ${code}.`);
}

async function mustBound(trial: Trial, message: string): Promise<void> {
  const peer = await trial.bare();
  peer.send(message);
  const { code } = await peer.closed("A close with 1009.");
  demand(code === 1009, "A close with 1009.", `It is closed with ${code}.`);
}

/** Section 3: what a server must take, and what it must refuse. */
export const messageCases: readonly ServerCase[] = [
  ...accepted.map(([requirement, what, message]): ServerCase => {
    return { requirement, level: 1, title: `takes a request ${what}`, run: (trial) => mustTake(trial, message) };
  }),
  ...refused.map(([requirement, what, message]): ServerCase => {
    return { requirement, level: 1, title: `refuses a message ${what}`, run: (trial) => mustRefuse(trial, message) };
  }),
  {
    requirement: "R-MSG-8",
    level: 1,
    title: "takes U+00A0 for a part of a value, and not for a blank",
    run: async (trial) => {
      const peer = await trial.bare();
      peer.send(`UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: \u00a0a\u00a0\r\n\r\n`);
      const expected = "A 400 with an empty Request-ID, since that is no token then.";
      const answer = await peer.until(expected);
      demand(answer.status === 400 && fieldOf(answer, "request-id") === "", expected, shown(answer.text));
    },
  },
  {
    requirement: "R-MSG-16",
    level: 1,
    title: "closes with 1009 where a message is larger than it announces to take",
    run: async (trial) => {
      const { maxMessageBytes = 1_064_960 } = trial.survey.limits;
      if (maxMessageBytes > 64 * 1024 * 1024) skip("It takes messages of more than 64 MiB.");
      await mustBound(trial, `SUBSCRIBE /a HTTP/1.1\r\nRequest-ID: a\r\n\r\n${"x".repeat(maxMessageBytes)}`);
    },
  },
  {
    requirement: "R-MSG-16",
    level: 1,
    title: "closes with 1009 where a head is far beyond the bounds",
    run: (trial) =>
      mustBound(trial, `SUBSCRIBE /a HTTP/1.1\r\nRequest-ID: a\r\n${`X-A: ${"x".repeat(1_000)}\r\n`.repeat(200)}\r\n`),
  },
];
