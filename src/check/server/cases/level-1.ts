import { demand, shown, skip } from "../../fault.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf, jsonOf, type Message } from "../../wire/messages.ts";
import type { ServerCase, Trial } from "../trial.ts";

const offers = [["rocket.v1"], ["rocket.v1", "chat"], ["chat", "x.v2", "rocket.v1"]];

async function mustEcho(trial: Trial, protocols: readonly string[]): Promise<void> {
  const { answer } = await trial.shake({ protocols });
  demand(answer.status === 101, "A 101.", `The handshake is answered ${answer.status}.`);
  const echo = fieldValue(answer.fields, "sec-websocket-protocol");
  demand(echo === "rocket.v1", "Sec-WebSocket-Protocol: rocket.v1", `It is ${echo ?? "missing"}.`);
}

/** A URL that a GET answers with a redirect, where one is found. */
async function redirecting(trial: Trial): Promise<string> {
  const path = trial.site.target.split("?")[0] ?? "/";
  for (const target of [`${path}/`, path.replace(/\/$/, ""), "/"]) {
    if (target === "" || target === path) continue;
    const { status, fields } = await trial.get(target);
    if ([301, 302, 303, 307, 308].includes(status) && fieldValue(fields, "location")) return target;
  }
  skip("No URL is known that is redirected.");
}

/** A URL that can be read, and is refused when it is followed; with the refusal. */
async function unfollowable(trial: Trial): Promise<Message> {
  const path = trial.site.target.split("?")[0] ?? "/";
  const parent = path.slice(0, path.lastIndexOf("/") + 1);
  for (const target of new Set(["/", parent, `${trial.site.basePath}/`])) {
    const { status } = await trial.get(target);
    if (status !== 200) continue;
    const { answer } = await trial.shake({ target });
    if (answer.status !== 101) continue;
    const first = await (await trial.open({ target })).until("An opening.");
    if (first.status >= 400) return first;
  }
  skip("No URL is known that can be read but not followed.");
}

/** Section 5. */
export const level1Cases: readonly ServerCase[] = [
  ...offers.map((protocols): ServerCase => {
    const title = `chooses Level 1 where ${protocols.join(", ")} is offered, and echoes rocket.v1 alone`;
    return { requirement: "R-L1-1", level: 1, title, run: (trial) => mustEcho(trial, protocols) };
  }),
  {
    requirement: "R-L1-2",
    level: 0,
    title: "echoes no other subprotocol",
    run: async (trial) => {
      const { answer } = await trial.shake({ protocols: ["rocket-check.unknown"] });
      if (answer.status !== 101) skip(`The handshake is not taken: it is answered ${answer.status}.`);
      const echo = fieldValue(answer.fields, "sec-websocket-protocol");
      demand(echo === undefined, "A 101 without Sec-WebSocket-Protocol.", `It is ${echo}.`);
    },
  },
  {
    requirement: "R-EXT-2",
    level: 1,
    title: "takes rocket.v1 where a later version is offered before it",
    run: (trial) => mustEcho(trial, ["rocket.v999", "rocket.v1"]),
  },
  {
    requirement: "R-L1-2",
    level: 0,
    title: "takes the case of a subprotocol's name for a part of it",
    run: async (trial) => {
      const { answer } = await trial.shake({ protocols: ["ROCKET.V1"] });
      if (answer.status !== 101) skip(`The handshake is not taken: it is answered ${answer.status}.`);
      const echo = fieldValue(answer.fields, "sec-websocket-protocol");
      demand(echo === undefined, "A 101 without Sec-WebSocket-Protocol.", `It is ${echo}.`);
    },
  },
  {
    requirement: "R-L1-5",
    level: 1,
    title: "tells a refusal in band: a 101, the problem as the only message, then 4000 + its status",
    run: async (trial) => {
      const { status } = await trial.get(trial.missing);
      if (status < 400) skip(`A GET of ${trial.missing} is answered ${status}.`);
      const peer = await trial.open({ target: trial.missing });
      const { code } = await peer.closed(`A close with ${4_000 + status}.`);
      const [first, ...others] = peer.rest();
      demand(first !== undefined && others.length === 0, "One message.", `${peer.messages.length} messages come.`);
      demand(first.status >= 400, "A problem.", shown(first.text));
      demand(code === 4_000 + first.status, `A close with ${4_000 + first.status}.`, `It is closed with ${code}.`);
    },
  },
  {
    requirement: "R-SUB-2",
    level: 1,
    title: "refuses with the status of a GET",
    run: async (trial) => {
      const { status } = await trial.get(trial.missing);
      if (status < 400) skip(`A GET of ${trial.missing} is answered ${status}.`);
      const peer = await trial.open({ target: trial.missing });
      const first = await peer.until(`A ${status}.`);
      demand(first.status === status, `A ${status}, as a GET is answered.`, shown(first.text));
    },
  },
  {
    requirement: "R-L1-6",
    level: 1,
    title: "tells a redirect in band with its Location, then closes with 4000 + its status",
    run: async (trial) => {
      const target = await redirecting(trial);
      const { status } = await trial.get(target);
      const peer = await trial.open({ target });
      const first = await peer.until(`A ${status} with Location.`);
      const isTold = first.status === status && fieldOf(first, "location") !== undefined;
      demand(isTold, `A ${status} with Location.`, shown(first.text));
      const { code } = await peer.closed(`A close with ${4_000 + status}.`);
      demand(code === 4_000 + status, `A close with ${4_000 + status}.`, `It is closed with ${code}.`);
    },
  },
  {
    requirement: "R-SUB-13",
    level: 1,
    title: "refuses what can be read but not followed by a 422 that says what to do",
    run: async (trial) => {
      const refusal = await unfollowable(trial);
      const { detail } = (jsonOf(refusal) ?? {}) as { detail?: unknown };
      const isRight = refusal.status === 422 && typeof detail === "string" && detail !== "";
      demand(isRight, "A 422 with a detail.", shown(refusal.text));
    },
  },
];
