import { demand, skip } from "../../fault.ts";
import { opcodes } from "../../wire/frames.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { Peer } from "../peer.ts";
import { wellKnownOf } from "../site.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** A connection of Level 0. */
function open(trial: Trial): Promise<Peer> {
  return trial.open({ level: 0 });
}

/** Section 4. */
export const level0Cases: readonly ServerCase[] = [
  {
    requirement: "R-L0-1",
    level: 0,
    title: "answers a handshake that offers nothing at Level 0, without a message at the beginning",
    run: async (trial) => {
      const { answer } = await trial.shake({ level: 0 });
      demand(answer.status === 101, "A 101.", `The handshake is answered ${answer.status}.`);
      const echo = fieldValue(answer.fields, "sec-websocket-protocol");
      demand(echo === undefined, "A 101 without Sec-WebSocket-Protocol.", `It names ${echo}.`);
      const peer = await open(trial);
      await peer.fence("A pong.");
      const [first] = peer.rest();
      const isOfLevel0 = first === undefined || [201, 202, 204].includes(first.status);
      demand(isOfLevel0, "Nothing, or a 201, 202 or 204.", `A ${first?.status} comes.`);
    },
  },
  {
    requirement: "R-L0-3",
    level: 0,
    title: "delivers every change after the 101, in the order of the commits",
    run: async (trial) => {
      const peer = await open(trial);
      const first = await trial.writer.create();
      const one = await peer.until("A 201 for the first record.", first.isIn);
      const second = await trial.writer.create();
      const other = await peer.until("A 201 for the second record.", second.isIn);
      demand(one.status === 201 && other.status === 201, "Two 201s.", `${one.status} and ${other.status} come.`);
    },
  },
  {
    requirement: "R-L0-2",
    level: 0,
    title: "sends a 202 for a change and a 204 for a record that is gone",
    run: async (trial) => {
      const peer = await open(trial);
      const record = await trial.writer.create();
      const entered = await peer.until("A 201 for the record.", record.isIn);
      const url = fieldOf(entered, "content-location");
      const isIt = (status: number) => (message: Parameters<typeof record.isIn>[0]) =>
        message.status === status && fieldOf(message, "content-location") === url;
      await trial.writer.change(record);
      await peer.until(`A 202 for ${url}.`, isIt(202));
      await trial.writer.destroy(record);
      await peer.until(`A 204 for ${url}.`, isIt(204));
    },
  },
  {
    requirement: "R-L0-8",
    level: 0,
    title: "sends a record's own 204 to who follows it by itself, and closes with 1000",
    run: async (trial) => {
      const record = await trial.writer.create();
      const { url } = record;
      const { status } = await trial.get(url);
      if (status !== 200) skip(`A GET of the record is answered ${status}.`);
      const peer = await trial.open({ level: 0, target: url });
      await trial.writer.destroy(record);
      await peer.until("A 204 for the record.", ({ status }) => status === 204);
      const { code } = await peer.closed("A close with 1000.");
      demand(code === 1000, "A close with 1000.", `It is closed with ${code}.`);
    },
  },
  {
    requirement: "R-L0-4",
    level: 0,
    title: "refuses a handshake with the status of a GET, before the 101",
    run: async (trial) => {
      const { status } = await trial.get(trial.missing);
      if (status < 400) skip(`A GET of ${trial.missing} is answered ${status}.`);
      const { answer } = await trial.shake({ level: 0, target: trial.missing });
      demand(
        answer.status === status,
        `A ${status}, as a GET is answered.`,
        `The handshake is answered ${answer.status}.`,
      );
    },
  },
  {
    requirement: "R-L0-5",
    level: 0,
    title: "ignores data that a client sends",
    run: async (trial) => {
      const peer = await open(trial);
      peer.send("this is no message");
      peer.send(Buffer.from([0, 1, 2]));
      peer.sendFrame({ opcode: opcodes.text, payload: "SUBSCRIBE / HTTP/1.1\r\nRequest-ID: a\r\n\r\n" });
      await peer.fence("A pong, and no close.");
      const answer = peer.rest().find((message) => fieldOf(message, "request-id") !== undefined);
      demand(answer === undefined, "No answer.", `A ${answer?.status} comes.`);
    },
  },
  {
    requirement: "R-WK-3",
    level: 0,
    title: "refuses a handshake of Level 0 at the well-known URL with 400",
    run: async (trial) => {
      const { answer } = await trial.shake({ level: 0, target: wellKnownOf(trial.site) });
      demand(answer.status === 400, "A 400 before the 101.", `The handshake is answered ${answer.status}.`);
    },
  },
];
