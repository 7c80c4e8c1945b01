import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue, formatHead } from "../../wire/http.ts";
import type { HandshakeOptions } from "../handshake.ts";
import type { ServerCase, Trial } from "../trial.ts";

async function mustAnswer(trial: Trial, options: HandshakeOptions, status: number): Promise<void> {
  const { answer } = await trial.shake(options);
  demand(answer.status === status, `A ${status} before the 101.`, `The handshake is answered ${answer.status}.`);
}

const foreign: readonly (readonly [what: string, field: Field])[] = [
  ["a page of another host", ["Origin", "http://rocket-check.invalid"]],
  ["a page without an origin", ["Origin", "null"]],
  ["a page that hides its origin, by Sec-Fetch-Site", ["Sec-Fetch-Site", "cross-site"]],
];

const hosts: readonly (readonly [what: string, fields: readonly Field[]])[] = [
  ["no Host", []],
  [
    "two Hosts",
    [
      ["Host", "$"],
      ["Host", "$"],
    ],
  ],
  ["a Host that names none", [["Host", "a b"]]],
];

const upgrade: readonly Field[] = [
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Sec-WebSocket-Protocol", "rocket.v1"],
];

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|::1)$/.test(host);
}

/** Section 12. */
export const securityCases: readonly ServerCase[] = [
  ...([0, 1] as const).flatMap((level) =>
    foreign.map(([what, field]): ServerCase => {
      const run = (trial: Trial) => mustAnswer(trial, { level, fields: [field] }, 403);
      return { requirement: "R-SEC-1", level, title: `answers 403 to ${what}`, run };
    }),
  ),
  {
    requirement: "R-SEC-1",
    level: 1,
    title: "lets a page of its own host in, and whoever has no Origin",
    run: async (trial) => {
      const { address, host } = trial.site;
      const origin = `${address.isSecure ? "https" : "http"}://${host}`;
      await mustAnswer(trial, { fields: [["Origin", origin]] }, 101);
      await mustAnswer(trial, { fields: [["Sec-Fetch-Site", "same-origin"]] }, 101);
    },
  },
  {
    requirement: "R-SEC-2",
    level: 1,
    title: "answers 421 on a loopback address to a name that was rebound to it",
    run: async (trial) => {
      if (!isLoopback(trial.site.address.host)) skip("It is not on a loopback address.");
      await mustAnswer(trial, { fields: [["Host", "rocket-check.invalid"]] }, 421);
    },
  },
  {
    requirement: "R-SEC-3",
    level: 1,
    title: "does not echo a token that is offered as a subprotocol, and ignores one that is malformed",
    run: async (trial) => {
      const { answer } = await trial.shake({ protocols: ["rocket.v1", "rocket.bearer.@@"], asViewer: true });
      demand(
        answer.status !== 101 || fieldValue(answer.fields, "sec-websocket-protocol") === "rocket.v1",
        "Sec-WebSocket-Protocol: rocket.v1",
        shown(answer.head),
      );
      const other = await trial.shake({ protocols: ["rocket.bearer.YWJj", "rocket.v1"] });
      const echo = fieldValue(other.answer.fields, "sec-websocket-protocol");
      demand(echo === undefined || echo === "rocket.v1", "Sec-WebSocket-Protocol: rocket.v1", `It is ${echo}.`);
    },
  },
  {
    requirement: "R-SEC-3",
    level: 1,
    title: "takes a token that is offered as a subprotocol for Authorization: Bearer",
    run: async (trial) => {
      const token = /^Bearer (.+)$/i.exec(fieldValue(trial.site.fields, "authorization") ?? "")?.[1];
      if (token === undefined) skip("It needs a token: --header 'Authorization: Bearer …'.");
      const name = `rocket.bearer.${Buffer.from(token).toString("base64url")}`;
      const peer = await trial.open({ protocols: ["rocket.v1", name], without: ["Authorization"] });
      const opening = await peer.until("A 200.");
      demand(opening.status === 200, "A 200, as with Authorization.", shown(opening.text));
    },
  },
  {
    requirement: "R-SEC-4",
    level: 1,
    title: "does not let what one peer sends touch another connection",
    run: async (trial) => {
      const { peer: bystander } = await trial.follow();
      for (const message of ["garbage", "", "SUBSCRIBE \0 HTTP/1.1\r\n\r\n"]) {
        const peer = await trial.open();
        peer.send(message);
        await peer.closed("A close with 1002.");
      }
      await bystander.fence("A pong for another connection.");
    },
  },
  {
    requirement: "R-SEC-6",
    level: 1,
    strength: "should",
    title: "does not negotiate permessage-deflate",
    run: async (trial) => {
      const { answer } = await trial.shake({ fields: [["Sec-WebSocket-Extensions", "permessage-deflate"]] });
      const extension = fieldValue(answer.fields, "sec-websocket-extensions");
      demand(extension === undefined, "A 101 without Sec-WebSocket-Extensions.", `It is ${extension}.`);
    },
  },
  ...hosts.map(
    ([what, fields]): ServerCase => ({
      requirement: "R-SEC-9",
      level: 1,
      title: `answers 400 to a handshake with ${what}`,
      run: async (trial) => {
        const own = fields.map(([name, value]) => [name, value.replace("$", trial.site.host)] as const);
        const sent = formatHead(`GET ${trial.site.target} HTTP/1.1`, [...own, ...upgrade, ...trial.site.fields]);
        const answer = await trial.exchange(sent);
        demand(answer?.status === 400, "A 400.", answer ? shown(answer.head) : "Nothing comes.");
      },
    }),
  ),
  {
    requirement: "R-SEC-9",
    level: 1,
    title: "takes the authority of a target in absolute form in the place of Host",
    run: async (trial) => {
      const { host, target, fields } = trial.site;
      const head = formatHead(`GET http://${host}${target} HTTP/1.1`, [["Host", host], ...upgrade, ...fields]);
      const answer = await trial.exchange(head);
      demand(answer?.status === 101, "A 101.", answer ? shown(answer.head) : "Nothing comes.");
    },
  },
];
