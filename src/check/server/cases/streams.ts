import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue } from "../../wire/http.ts";
import { fieldOf, type Message } from "../../wire/messages.ts";
import type { StreamPeer } from "../stream-peer.ts";
import type { ServerCase, Trial } from "../trial.ts";

const events = "text/event-stream";
const kinds = [
  ["an event stream", events, /^text\/event-stream *(?:;|$)/i],
  ["an HTTP stream", "application/http", /^application\/http *; *msgtype=response *$/i],
] as const;

/** More than the server's interval, so that a sweep once a second is in time. */
const graceMs = 3_000;

function typeOf({ answer }: StreamPeer): string {
  return fieldValue(answer.fields, "content-type") ?? "no Content-Type";
}

/** A stream that has begun. */
async function open(trial: Trial, accept: string, fields: readonly Field[] = []): Promise<StreamPeer> {
  const stream = await trial.stream({ fields: [["Accept", accept], ...fields] });
  demand(stream.answer.status === 200, "A 200.", shown(stream.answer.head));
  return stream;
}

/** A stream that has caught up, and its opening. */
async function follow(
  trial: Trial,
  accept: string,
  fields: readonly Field[] = [],
): Promise<{ stream: StreamPeer; opening: Message; position: string }> {
  const stream = await open(trial, accept, fields);
  const opening = await stream.until("The opening: a 200 or 304.", ({ status }) => status === 200 || status === 304);
  const mark = await stream.until('The 304 that says "caught up".', ({ status }) => status === 304);
  return { stream, opening, position: fieldOf(mark, "event-id") ?? "" };
}

function isStream(type: string): boolean {
  return kinds.some(([, , pattern]) => pattern.test(type));
}

/** The `Vary` of an answer, in lower case. */
function variesBy(fields: readonly Field[]): string[] {
  const all = fields.filter(([name]) => name.toLowerCase() === "vary").flatMap(([, value]) => value.split(","));
  return all.map((name) => name.trim().toLowerCase());
}

/** The relations that a `Link` names, in lower case. */
function relationsOf(link: string): string[] {
  const found = [...link.matchAll(/\brel=(?:"([^"]*)"|([^;,\s"]+))/gi)];
  return found.flatMap(([, quoted, plain]) => (quoted ?? plain ?? "").toLowerCase().split(" "));
}

const choosing: readonly ServerCase[] = kinds.flatMap(([name, accept, pattern]): ServerCase[] => [
  {
    requirement: "R-STR-1",
    level: "stream",
    title: `answers with ${name} where that is wanted most`,
    run: async (trial) => {
      for (const asked of [accept, `${accept}, */*;q=0.9`, `*/*;q=0.1, ${accept};q=0.2`]) {
        const type = typeOf(await open(trial, asked));
        demand(pattern.test(type), `${name} for Accept: ${asked}.`, type);
      }
    },
  },
  {
    requirement: "R-STR-1",
    level: "stream",
    title: `answers plainly where something else is wanted as much as ${name}`,
    run: async (trial) => {
      for (const asked of [`application/json, ${accept}`, `${accept};q=0.5, */*;q=0.5`, `${accept};q=0, */*`]) {
        const stream = await trial.stream({ fields: [["Accept", asked]] });
        demand(!isStream(typeOf(stream)), `A plain answer for Accept: ${asked}.`, typeOf(stream));
      }
    },
  },
  {
    requirement: "R-STR-2",
    level: "stream",
    title: `follows, by ${name}, what a GET with the rest of the Accept answers`,
    run: async (trial) => {
      const rest = "application/json;q=0.5";
      const { opening } = await follow(trial, `${accept}, ${rest}`);
      const plain = await trial.get(trial.site.target, [["Accept", rest]]);
      if (plain.status !== 200) skip(`A GET with Accept: ${rest} is answered ${plain.status}.`);
      demand(opening.body.equals(plain.body), "The body of that GET.", shown(opening.text));
    },
  },
]);

const living: readonly ServerCase[] = kinds.flatMap(([name, accept]): ServerCase[] => [
  {
    requirement: "R-STR-14",
    level: "stream",
    title: `gives by ${name} the state, the mark, and each change`,
    run: async (trial) => {
      const { stream, opening } = await follow(trial, accept);
      const plain = await trial.get();
      demand(
        opening.status === 200 && opening.body.equals(plain.body),
        "A 200 with what a GET answers.",
        shown(opening.text),
      );
      const written = await trial.writer.create();
      const entered = await stream.until("A 201 for what was made.", written.isIn);
      demand(entered.status === 201, "A 201.", shown(entered.text));
      await trial.writer.destroy(written);
      const left = await stream.until("A 204 for what was deleted.", ({ status }) => status === 204);
      demand(
        fieldOf(left, "content-location") === fieldOf(entered, "content-location"),
        "The same URL.",
        shown(left.text),
      );
      const named = stream.messages.find((message) =>
        ["subscription", "request-id"].some((field) => fieldOf(message, field) !== undefined),
      );
      demand(!named, "No Subscription and no Request-ID.", shown(named?.text ?? ""));
    },
  },
  {
    requirement: "R-STR-14",
    level: "stream",
    title: `begins ${name} with a 304 for its position, for * and for an entity tag that is known`,
    run: async (trial) => {
      const { opening, position } = await follow(trial, accept);
      const etag = fieldOf(opening, "etag");
      const wishes: Field[] = [["Last-Event-ID", "*"]];
      if (position !== "") wishes.push(["Last-Event-ID", position]);
      if (etag !== undefined) wishes.push(["If-None-Match", etag]);
      for (const wish of wishes) {
        const { opening: again } = await follow(trial, accept, [wish]);
        demand(again.status === 304, `A 304 for ${wish.join(": ")}.`, shown(again.text));
      }
      const { opening: fresh } = await follow(trial, accept, [["Last-Event-ID", "rocket-check"]]);
      demand(fresh.status === 200, "A 200 for a position that nobody knows.", shown(fresh.text));
    },
  },
  {
    requirement: "R-STR-14",
    level: "stream",
    title: `tells by ${name}, after a resume, what was missed`,
    run: async (trial) => {
      if (trial.survey.kind !== "direct") skip("The view has no positions of a journal.");
      const { stream, position } = await follow(trial, accept);
      stream.drop();
      const written = await trial.writer.create();
      const again = await open(trial, accept, [["Last-Event-ID", position]]);
      const opening = await again.until("The opening.");
      demand(opening.status === 304, "A 304.", shown(opening.text));
      await again.until("What was missed.", written.isIn);
    },
  },
  {
    requirement: "R-STR-14",
    level: "stream",
    title: `refuses ${name} by the status that a GET has`,
    run: async (trial) => {
      const plain = await trial.get(trial.missing);
      if (plain.status < 300) skip("Every URL is answered.");
      const { answer } = await trial.stream({ target: trial.missing, fields: [["Accept", accept]] });
      demand(answer.status === plain.status, `A ${plain.status}.`, shown(answer.head));
    },
  },
  {
    requirement: "R-STR-15",
    level: "stream",
    title: `has a head for ${name} that keeps caches and transformations away`,
    run: async (trial) => {
      const { answer } = await open(trial, accept, [["Accept-Encoding", "gzip, br"]]);
      const control = (fieldValue(answer.fields, "cache-control") ?? "").toLowerCase();
      const keeps = control.includes("no-store") && control.includes("no-transform");
      demand(keeps, "Cache-Control: no-store, no-transform.", shown(answer.head));
      demand(variesBy(answer.fields).includes("accept"), "A Vary with Accept.", shown(answer.head));
      for (const unwanted of ["content-length", "content-encoding"]) {
        demand(fieldValue(answer.fields, unwanted) === undefined, `No ${unwanted}.`, shown(answer.head));
      }
    },
  },
  {
    requirement: "R-STR-16",
    level: "stream",
    isSlow: true,
    title: `sends a sign of life on ${name} after each silence of 20 s`,
    run: async (trial) => {
      const { stream } = await follow(trial, accept);
      const count = stream.messages.length;
      const limitMs = trial.survey.heartbeatMs + graceMs;
      await stream.when(
        `A message within ${trial.survey.heartbeatMs} ms.`,
        () => stream.messages.length > count,
        limitMs,
      );
      const sign = stream.messages[count];
      if (sign && sign.status < 300) skip("Somebody wrote meanwhile.");
      demand(sign?.status === 304, "A 304.", shown(sign?.text ?? ""));
    },
  },
  {
    requirement: "R-STR-17",
    level: "stream",
    title: `ends ${name} behind the 204 of the record that is followed`,
    run: async (trial) => {
      const { url, ...written } = await trial.writer.create();
      const stream = await trial.stream({ target: url, fields: [["Accept", accept]] });
      if (stream.answer.status !== 200) skip(`The record's URL is answered ${stream.answer.status}.`);
      await stream.until('The 304 that says "caught up".', ({ status }) => status === 304);
      await trial.writer.destroy({ url, ...written });
      await stream.until("A 204.", ({ status }) => status === 204);
      await stream.ended("The end of the stream.");
    },
  },
  {
    requirement: "R-STR-19",
    level: "stream",
    title: `gives ${name} to no page of a foreign origin that it does not know`,
    run: async (trial) => {
      const foreign = "https://rocket-check.invalid";
      const { answer } = await trial.stream({
        fields: [
          ["Accept", accept],
          ["Origin", foreign],
        ],
      });
      const allowed = fieldValue(answer.fields, "access-control-allow-origin");
      if (allowed === "*") skip("The application lets every page read its answers.");
      const isKept = answer.status === 403 || allowed !== foreign;
      demand(isKept, "A 403, or no Access-Control-Allow-Origin for it.", shown(answer.head));
    },
  },
]);

/** Section 11, but for patch streams and long polls. */
export const streamCases: readonly ServerCase[] = [
  ...choosing,
  {
    requirement: "R-STR-3",
    level: "stream",
    title: "names each event by its status, and gives it the message's Event-ID and nothing else",
    run: async (trial) => {
      const { stream } = await follow(trial, events);
      const { events: came, messages } = stream;
      demand(came.length === messages.length, "A message in each event.", shown(came.at(-1)?.text ?? ""));
      for (const [at, { name, id, counts, text }] of came.entries()) {
        const message = messages[at] as Message;
        demand(name === String(message.status), `An event ${message.status}.`, shown(text));
        const given = fieldOf(message, "event-id");
        demand(id === given, given === undefined ? "No id." : `id: ${given}`, shown(text));
        demand(counts.event === 1 && (counts.id ?? 0) < 2, "One event and one id at most.", shown(text));
        demand(message.flaws.length === 0, "A message by section 3.", message.flaws[0]?.what ?? "");
      }
    },
  },
  {
    requirement: "R-STR-5",
    level: "stream",
    title: "has no Content-Length in events",
    run: async (trial) => {
      const { stream } = await follow(trial, events);
      const found = stream.messages.find((message) => fieldOf(message, "content-length") !== undefined);
      demand(!found, "No Content-Length.", shown(found?.text ?? ""));
    },
  },
  {
    requirement: "R-STR-9",
    level: "stream",
    title: "has a Content-Length in each message of an HTTP stream but 204 and 304",
    run: async (trial) => {
      const { stream } = await follow(trial, "application/http");
      const written = await trial.writer.create();
      await stream.until("A 201 for what was made.", written.isIn);
      await trial.writer.destroy(written);
      await stream.until("A 204.", ({ status }) => status === 204);
      demand(stream.flaws.length === 0, "A length that fits.", stream.flaws[0] ?? "");
      const wrong = stream.messages.flatMap(({ flaws }) => flaws)[0];
      demand(!wrong, "Messages by section 3.", wrong?.what ?? "");
    },
  },
  ...living,
  {
    requirement: "R-STR-14",
    level: "stream",
    title: "answers a HEAD with the head of the stream alone",
    run: async (trial) => {
      for (const [name, accept, pattern] of kinds) {
        if (trial.survey.streams.length === 0) skip("The server does not say that it has streams (R-STR-18).");
        const { target } = trial.site;
        const answer = await trial.request({ method: "HEAD", target, fields: [["Accept", accept]] });
        if (answer.status === 405) skip("HEAD is not served.");
        const type = fieldValue(answer.fields, "content-type") ?? "";
        demand(answer.status === 200 && pattern.test(type), `A 200 for ${name}.`, shown(answer.head));
        demand(answer.body.length === 0, "No content.", shown(answer.body.toString()));
      }
    },
  },
  {
    requirement: "R-STR-15",
    level: "stream",
    title: "sends a comment with the head of an event stream at once",
    run: async (trial) => {
      const { reader } = (await follow(trial, events)).stream;
      demand(reader.comments > 0, "A comment.", "None came before the first message.");
    },
  },
  {
    requirement: "R-STR-17",
    level: "stream",
    strength: "should",
    title: "begins event streams with a retry that differs from one client to another",
    run: async (trial) => {
      const retries = new Set<string>();
      for (let nth = 0; nth < 4; nth += 1) {
        const { stream } = await follow(trial, events);
        for (const retry of stream.reader.retries) retries.add(retry);
        stream.drop();
      }
      demand(retries.size > 1, "Another retry each time.", `These came: ${[...retries].join(", ")}.`);
    },
  },
  {
    requirement: "R-STR-18",
    level: "stream",
    title: "says at the well-known URL which streams it has",
    run: async (trial) => {
      if (trial.survey.streams.length === 0) skip("The server does not say that it has streams (R-STR-18).");
      const said = trial.survey.streams.join();
      demand(said === "text/event-stream,application/http", '"streams":["text/event-stream","application/http"]', said);
    },
  },
  {
    requirement: "R-STR-22",
    level: "stream",
    title: "has a Vary with Accept where a Link says that it can be followed",
    run: async (trial) => {
      const plain = await trial.get();
      const links = plain.fields.filter(([name]) => name.toLowerCase() === "link").map(([, value]) => value);
      const relations = links.flatMap((link) => relationsOf(link));
      if (!relations.includes("monitor")) skip("Its answers have no link with the relation monitor.");
      demand(variesBy(plain.fields).includes("accept"), "A Vary with Accept.", shown(plain.head));
    },
  },
];
