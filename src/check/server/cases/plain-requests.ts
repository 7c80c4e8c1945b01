import { demand, shown, skip } from "../../fault.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { Peer } from "../peer.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** A connection on which a method is carried out. @throws Skip where it is not */
async function connect(trial: Trial, method: string): Promise<Peer> {
  if (!trial.survey.methods.includes(method)) skip(`The well-known URL does not say that ${method} is taken in band.`);
  return trial.bare();
}

/** Requests of section 9 that are as over HTTP. */
export const plainRequestCases: readonly ServerCase[] = [
  {
    requirement: "R-BAND-12",
    level: 1,
    title: "answers a GET in band as over HTTP, with Request-ID and without Subscription",
    run: async (trial) => {
      const peer = await connect(trial, "GET");
      const { target } = trial.site;
      const { status } = await trial.get(target);
      const answer = await trial.ask(peer, `GET ${target}`);
      const isPlain = fieldOf(answer, "subscription") === undefined;
      demand(answer.status === status && isPlain, `A ${status} without Subscription.`, shown(answer.text));
      const type = fieldValue(trial.survey.document.fields, "content-type");
      demand(fieldOf(answer, "content-type") === type, `Content-Type: ${type}`, shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-12",
    level: 1,
    title: "answers a GET in band of what is not there as over HTTP, and goes on",
    run: async (trial) => {
      const peer = await connect(trial, "GET");
      const { status } = await trial.get(trial.missing);
      const answer = await trial.ask(peer, `GET ${trial.missing}`);
      demand(answer.status === status, `A ${status}.`, shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
  {
    requirement: "R-BAND-13",
    level: 1,
    title: "answers a GET in band with a body by a 400, and goes on",
    run: async (trial) => {
      const peer = await connect(trial, "GET");
      const answer = await trial.ask(peer, `GET ${trial.site.target}`, [], "a body");
      demand(answer.status === 400, "A 400.", shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
  {
    requirement: "R-BAND-15",
    level: 1,
    title: "looks at a request's own If-None-Match",
    run: async (trial) => {
      const peer = await connect(trial, "GET");
      const first = await trial.ask(peer, `GET ${trial.site.target}`);
      const etag = fieldOf(first, "etag") ?? skip("Its answers have no ETag.");
      const again = await trial.ask(peer, `GET ${trial.site.target}`, [`If-None-Match: ${etag}`]);
      const isSame = again.status === 304 || fieldOf(again, "etag") !== etag;
      demand(isSame, "A 304, or another ETag.", shown(again.text));
    },
  },
  {
    requirement: "R-BAND-17",
    level: 1,
    title: "answers a HEAD in band without a body and without Content-Length",
    run: async (trial) => {
      const peer = await connect(trial, "HEAD");
      const answer = await trial.ask(peer, `HEAD ${trial.site.target}`);
      const isBare = answer.body.length === 0 && fieldOf(answer, "content-length") === undefined;
      demand(isBare, "A head without Content-Length.", shown(answer.text));
    },
  },
];
