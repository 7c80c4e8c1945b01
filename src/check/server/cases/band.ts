import { demand, shown, skip } from "../../fault.ts";
import { fieldOf, jsonOf, type Message } from "../../wire/messages.ts";
import type { Peer } from "../peer.ts";
import { rowUrls } from "../survey.ts";
import type { ServerCase, Trial } from "../trial.ts";

function subscribe(trial: Trial, peer: Peer, fields: readonly string[] = []): Promise<Message> {
  return trial.ask(peer, `SUBSCRIBE ${trial.site.target}`, fields);
}

/** A subscription in band that has caught up; gives its `Subscription`. */
async function subscribed(trial: Trial, peer: Peer): Promise<string> {
  const answer = await subscribe(trial, peer);
  const url = fieldOf(answer, "subscription");
  demand(answer.status === 200 && url !== undefined, "A 200 with Subscription.", shown(answer.text));
  const isMark = (message: Message) => message.status === 304 && fieldOf(message, "subscription") === url;
  await peer.until(`A 304 with Subscription: ${url}.`, isMark);
  return url;
}

const nameless: readonly (readonly [what: string, line: string])[] = [
  ["no Request-ID", ""],
  ["an empty Request-ID", "Request-ID:\r\n"],
  ["a Request-ID of 65 characters", `Request-ID: ${"x".repeat(65)}\r\n`],
  ["a Request-ID that is no token", "Request-ID: a b\r\n"],
];

async function mustRefuseNameless(trial: Trial, line: string): Promise<void> {
  const peer = await trial.bare();
  peer.send(`SUBSCRIBE ${trial.site.target} HTTP/1.1\r\n${line}\r\n`);
  const expected = "A 400 whose Request-ID is empty.";
  const answer = await peer.until(expected);
  demand(answer.status === 400 && fieldOf(answer, "request-id") === "", expected, shown(answer.text));
  await peer.fence("A pong: the connection goes on.");
}

async function mustIgnore(trial: Trial, fields: readonly string[]): Promise<void> {
  const peer = await trial.bare();
  const plain = await subscribe(trial, peer);
  const other = await trial.bare();
  const answer = await subscribe(trial, other, fields);
  demand(answer.status === plain.status, `A ${plain.status}, as without these fields.`, shown(answer.text));
  const same = fieldOf(answer, "subscription") === fieldOf(plain, "subscription");
  demand(same, `Subscription: ${fieldOf(plain, "subscription")}`, shown(answer.text));
}

const requests: readonly ServerCase[] = [
  {
    requirement: "R-BAND-1",
    level: 1,
    title: "answers each of many requests, with its Request-ID",
    run: async (trial) => {
      const peer = await trial.bare();
      const ids = Array.from({ length: 20 }, () => trial.nextId());
      for (const id of ids) peer.send(`UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`);
      for (const _ of ids) await peer.until(`${ids.length} answers.`);
      const answered = new Set(peer.messages.slice(1).map((message) => fieldOf(message, "request-id")));
      const missing = ids.filter((id) => !answered.has(id));
      demand(missing.length === 0, "An answer for each Request-ID.", `${missing.join()} have none.`);
    },
  },
  ...nameless.map(([what, line]): ServerCase => {
    const title = `answers a request with ${what} by a 400 whose Request-ID is empty, and goes on`;
    return { requirement: "R-BAND-2", level: 1, title, run: (trial) => mustRefuseNameless(trial, line) };
  }),
  {
    requirement: "R-BAND-2",
    level: 1,
    title: "takes a Request-ID of 64 characters",
    run: async (trial) => {
      const peer = await trial.bare();
      const id = "x".repeat(64);
      peer.send(`UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`);
      const answer = await peer.until("An answer with that Request-ID.");
      demand(fieldOf(answer, "request-id") === id, "An answer with that Request-ID.", shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-8",
    level: 1,
    title: "answers hundreds of requests that are sent at once, whose answers nobody reads at first",
    run: async (trial) => {
      const peer = await trial.bare();
      peer.setReading(false);
      for (let count = 0; count < 500; count += 1) {
        peer.send(`UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: ${trial.nextId()}\r\n\r\n`);
      }
      peer.setReading(true);
      for (let count = 0; count < 500; count += 1) await peer.until("500 answers.");
    },
  },
  {
    requirement: "R-BAND-11",
    level: 1,
    title: "answers a request for another host by a 421, and one for the handshake's own as without Host",
    run: async (trial) => {
      const peer = await trial.bare();
      const other = await subscribe(trial, peer, ["Host: other.invalid"]);
      demand(other.status === 421, "A 421.", shown(other.text));
      const own = await subscribe(trial, peer, [`Host: ${trial.site.host}`]);
      demand(own.status === 200, "A 200.", shown(own.text));
    },
  },
  {
    requirement: "R-BAND-12",
    level: 1,
    title: "answers a method that it does not know by a 501",
    run: async (trial) => {
      const answer = await trial.ask(await trial.bare(), `ROCKETCHECK ${trial.site.target}`);
      demand(answer.status === 501, "A 501.", shown(answer.text));
    },
  },
  ...["SUBSCRIBE", "UNSUBSCRIBE"].map(
    (method): ServerCase => ({
      requirement: "R-BAND-13",
      level: 1,
      title: `answers ${method} with a body by a 400, does not act on it, and goes on`,
      run: async (trial) => {
        const peer = await trial.bare();
        if (method === "UNSUBSCRIBE") await subscribed(trial, peer);
        const answer = await trial.ask(peer, `${method} ${trial.site.target}`, [], "a body");
        demand(answer.status === 400, "A 400.", shown(answer.text));
        const after = await trial.ask(peer, `UNSUBSCRIBE ${trial.site.target}`);
        const wanted = method === "SUBSCRIBE" ? 404 : 204;
        demand(after.status === wanted, `A ${wanted} for UNSUBSCRIBE afterwards.`, shown(after.text));
      },
    }),
  ),
];

const subscribing: readonly ServerCase[] = [
  {
    requirement: "R-BAND-3",
    level: 1,
    title: "answers SUBSCRIBE by the opening, with Request-ID and Subscription",
    run: async (trial) => void (await subscribed(trial, await trial.bare())),
  },
  {
    requirement: "R-BAND-3",
    level: 1,
    title: "refuses SUBSCRIBE by a problem without Subscription, and goes on",
    run: async (trial) => {
      const { status } = await trial.get(trial.missing);
      if (status < 400) skip(`A GET of ${trial.missing} is answered ${status}.`);
      const peer = await trial.bare();
      const answer = await trial.ask(peer, `SUBSCRIBE ${trial.missing}`);
      const isRight = answer.status === status && fieldOf(answer, "subscription") === undefined;
      demand(isRight, `A ${status} without Subscription.`, shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
  {
    requirement: "R-BAND-4",
    level: 1,
    title: "has Subscription on what belongs to a subscription in band, and no Request-ID",
    run: async (trial) => {
      const peer = await trial.bare();
      const url = await subscribed(trial, peer);
      await trial.writer.poke();
      const change = await peer.until("A notification of the change.", ({ status }) => status < 300);
      const isRight = fieldOf(change, "subscription") === url && fieldOf(change, "request-id") === undefined;
      demand(isRight, `A notification with Subscription: ${url}.`, shown(change.text));
    },
  },
  {
    requirement: "R-BAND-4",
    level: 1,
    title: "has neither Subscription nor Request-ID on what belongs to the handshake's own subscription",
    run: async (trial) => {
      const follower = await trial.follow();
      const named = follower.peer.messages.find((message) => {
        return fieldOf(message, "subscription") !== undefined || fieldOf(message, "request-id") !== undefined;
      });
      demand(named === undefined, "Messages without them.", shown(named?.text ?? ""));
    },
  },
  {
    requirement: "R-BAND-4",
    level: 1,
    title: "has the same Subscription for every client",
    run: async (trial) => {
      const one = await subscribed(trial, await trial.bare());
      const other = await subscribed(trial, await trial.bare());
      demand(one === other, `Subscription: ${one}`, `Subscription: ${other}`);
    },
  },
  {
    requirement: "R-BAND-5",
    level: 1,
    title: "answers SUBSCRIBE for what is subscribed to by a 304 with the current position",
    run: async (trial) => {
      const peer = await trial.bare();
      const url = await subscribed(trial, peer);
      const answer = await subscribe(trial, peer);
      const isRight = answer.status === 304 && fieldOf(answer, "subscription") === url;
      demand(isRight, `A 304 with Subscription: ${url}.`, shown(answer.text));
      demand(fieldOf(answer, "event-id") !== undefined, "An Event-ID, since it is caught up.", shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-5",
    level: 1,
    title: "answers SUBSCRIBE for the handshake's own subscription by a 304 with Subscription",
    run: async (trial) => {
      const { peer } = await trial.follow();
      const answer = await subscribe(trial, peer);
      const isRight = answer.status === 304 && fieldOf(answer, "subscription") !== undefined;
      demand(isRight, "A 304 with Subscription.", shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-5",
    level: 1,
    title: "answers SUBSCRIBE with Cache-Control: no-cache by a 200, whatever position it names",
    run: async (trial) => {
      const peer = await trial.bare();
      const url = await subscribed(trial, peer);
      const answer = await subscribe(trial, peer, ["Cache-Control: no-cache", "Last-Event-ID: *"]);
      const isRight = answer.status === 200 && fieldOf(answer, "subscription") === url;
      demand(isRight, `A 200 with Subscription: ${url}.`, shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-6",
    level: 1,
    title: "answers UNSUBSCRIBE by a 204 with Subscription, and nothing more comes",
    run: async (trial) => {
      const peer = await trial.bare();
      const url = await subscribed(trial, peer);
      const answer = await trial.ask(peer, `UNSUBSCRIBE ${url}`);
      const isRight = answer.status === 204 && fieldOf(answer, "subscription") === url;
      demand(isRight, `A 204 with Subscription: ${url}.`, shown(answer.text));
      const witness = trial.survey.kind === "none" ? undefined : await trial.follow();
      if (witness) {
        await trial.writer.poke();
        await witness.until("A notification for another subscriber.", ({ status }) => status < 300);
      }
      await peer.fence("A pong: the connection goes on.");
      const [late] = peer.rest();
      demand(late === undefined, "Nothing more for that URL.", shown(late?.text ?? ""));
    },
  },
  {
    requirement: "R-BAND-6",
    level: 1,
    title: "ends the handshake's own subscription by UNSUBSCRIBE, and the connection stays open",
    run: async (trial) => {
      const { peer } = await trial.follow();
      const answer = await trial.ask(peer, `UNSUBSCRIBE ${trial.site.target}`);
      demand(answer.status === 204, "A 204.", shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
  {
    requirement: "R-BAND-6",
    level: 1,
    title: "answers UNSUBSCRIBE for what nobody subscribed to by a 404",
    run: async (trial) => {
      const answer = await trial.ask(await trial.bare(), `UNSUBSCRIBE ${trial.site.target}`);
      demand(answer.status === 404, "A 404.", shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-7",
    level: 1,
    title: "answers a SUBSCRIBE beyond the number of subscriptions by a 429, goes on, and serves a renewal",
    run: async (trial) => {
      const { maxSubscriptions = 100 } = trial.survey.limits;
      const urls = [trial.site.target, ...rowUrls(trial.survey, trial.site.target)];
      if (urls.length <= maxSubscriptions)
        skip(`It takes ${maxSubscriptions} subscriptions, and only ${urls.length} URLs are known.`);
      const peer = await trial.bare();
      for (const url of urls.slice(0, maxSubscriptions)) await trial.ask(peer, `SUBSCRIBE ${url}`);
      const beyond = await trial.ask(peer, `SUBSCRIBE ${urls[maxSubscriptions]}`);
      demand(beyond.status === 429, "A 429.", shown(beyond.text));
      const again = await subscribe(trial, peer);
      demand(again.status === 304, "A 304 for one that is there.", shown(again.text));
    },
  },
  {
    requirement: "R-BAND-9",
    level: 1,
    title: "ignores fields of a request that could say who asks",
    run: (trial) => {
      const forwarded = [
        "Forwarded: for=192.0.2.1;host=other.invalid",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Host: other.invalid",
      ];
      return mustIgnore(trial, [
        "Origin: http://other.invalid",
        "Cookie: rocket-check=1",
        ...forwarded,
        "Rocket-Check: 1",
      ]);
    },
  },
  {
    requirement: "R-SEC-10",
    level: 1,
    title: "does not let a problem grow with what was sent",
    run: async (trial) => {
      const answer = await trial.ask(await trial.bare(), `SUBSCRIBE ${trial.missing}${"x".repeat(7_500)}`);
      if (answer.status < 400) skip(`A SUBSCRIBE of a long URL is answered ${answer.status}.`);
      demand(answer.text.length < 7_500, "A problem of less than 7,500 characters.", `It has ${answer.text.length}.`);
      const { detail } = (jsonOf(answer) ?? {}) as { detail?: unknown };
      demand(typeof detail === "string", "A detail.", shown(answer.text));
    },
  },
];

/** Section 9. */
export const bandCases: readonly ServerCase[] = [...requests, ...subscribing];
