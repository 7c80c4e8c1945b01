import { bandCases } from "./cases/band.ts";
import { batchCases } from "./cases/batch.ts";
import { betweenCases } from "./cases/between.ts";
import { deltaCases } from "./cases/deltas.ts";
import { derivedCases } from "./cases/derived.ts";
import { extendingCases } from "./cases/extending.ts";
import { fieldCases } from "./cases/fields.ts";
import { frameCases } from "./cases/frames.ts";
import { level0Cases } from "./cases/level-0.ts";
import { level1Cases } from "./cases/level-1.ts";
import { livenessCases } from "./cases/liveness.ts";
import { longPollCases } from "./cases/long-polls.ts";
import { messageCases } from "./cases/messages.ts";
import { casesOverStreams } from "./cases/over-streams.ts";
import { patchStreamCases } from "./cases/patch-streams.ts";
import { plainRequestCases } from "./cases/plain-requests.ts";
import { requestCases } from "./cases/requests.ts";
import { resumeCases } from "./cases/resuming.ts";
import { securityCases } from "./cases/security.ts";
import { streamCases } from "./cases/streams.ts";
import { subscriptionCases } from "./cases/subscriptions.ts";
import { wellKnownCases } from "./cases/well-known.ts";
import type { ServerCase } from "./trial.ts";

/** Every case against a server, in the order in which they run. */
export const serverCases: readonly ServerCase[] = [
  ...frameCases,
  ...messageCases,
  ...level0Cases,
  ...level1Cases,
  ...fieldCases,
  ...subscriptionCases,
  ...resumeCases,
  ...deltaCases,
  ...derivedCases,
  ...bandCases,
  ...requestCases,
  ...plainRequestCases,
  ...wellKnownCases,
  ...batchCases,
  ...securityCases,
  ...livenessCases,
  ...streamCases,
  ...casesOverStreams,
  ...patchStreamCases,
  ...longPollCases,
  ...extendingCases,
  ...betweenCases,
];
