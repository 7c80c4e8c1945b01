import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue } from "../../wire/http.ts";
import { fieldOf, type Message } from "../../wire/messages.ts";
import type { StreamPeer } from "../stream-peer.ts";
import type { ServerCase, Trial } from "../trial.ts";

const accept: Field = ["Accept", "text/event-stream"];
/** So long a client may be silent (R-MID-1), and a little more. */
const silentMs = 28_000;

/** A stream that has begun, with its opening. Nothing that stores answers may have given it. */
async function begun(trial: Trial): Promise<{ readonly stream: StreamPeer; readonly opening: Message }> {
  const stream = await trial.stream({ fields: [accept] });
  demand(stream.answer.status === 200, "A 200.", shown(stream.answer.head));
  mustBeFresh(stream);
  const opening = await stream.until("The opening: a 200.", ({ status }) => status === 200);
  return { stream, opening };
}

/** An `Age` is that of an answer which a cache has stored (RFC 9111 §5.1). @throws Fault */
function mustBeFresh({ answer }: StreamPeer): void {
  const age = fieldValue(answer.fields, "age");
  demand(age === undefined, "An answer that no cache has stored.", `It has Age: ${age}.`);
}

/** What may stand between the two, as far as it shows. */
export const betweenCases: readonly ServerCase[] = [
  {
    requirement: "R-MID-1",
    level: "stream",
    title: "gives each who asks a stream of the state of now, and none that was stored",
    run: async (trial) => {
      const before = await begun(trial);
      const { isIn } = await trial.writer.create();
      // Nothing comes behind it that would push it out of somebody's buffer.
      await before.stream.until("The change, as soon as it is made.", isIn);
      const { opening } = await begun(trial);
      const isNew = fieldOf(opening, "event-id") !== fieldOf(before.opening, "event-id");
      const isSame = opening.body.equals(before.opening.body);
      demand(isNew && !isSame, "An opening with what was made.", shown(opening.text));
    },
  },
  {
    requirement: "R-MID-1",
    level: "stream",
    title: "stores no answer to a SUBSCRIBE",
    run: async (trial) => {
      for (let time = 0; time < 2; time += 1) {
        const stream = await trial.stream({ method: "SUBSCRIBE", fields: [accept] });
        if (stream.answer.status !== 200) skip(`A SUBSCRIBE is answered ${stream.answer.status}.`);
        mustBeFresh(stream);
      }
    },
  },
  {
    requirement: "R-MID-1",
    level: 1,
    strength: "should",
    isSlow: true,
    title: "leaves a connection open on which the client is silent for 27 s",
    run: async (trial) => {
      const { peer } = await trial.follow();
      const endsAt = performance.now() + silentMs;
      while (!peer.closing && performance.now() < endsAt) await peer.wait(endsAt - performance.now());
      demand(!peer.closing, "The connection stays open.", `It is closed with ${peer.closing?.code}.`);
      await peer.fence("A pong: the connection goes on.");
    },
  },
];
