import type { ServerCase } from "../trial.ts";
import { deltaCases } from "./deltas.ts";
import { fieldCases } from "./fields.ts";
import { resumeCases } from "./resuming.ts";
import { subscriptionCases } from "./subscriptions.ts";

const kinds = [
  ["an event stream", "text/event-stream"],
  ["an HTTP stream", "application/http"],
] as const;

/** What is about WebSockets, beside the messages: their close codes, their flow. */
const ofSockets: ReadonlySet<string> = new Set(["R-SUB-9", "R-SUB-12", "R-RES-4"]);

const common = [...fieldCases, ...subscriptionCases, ...resumeCases, ...deltaCases].filter(
  ({ level, requirement }) => level === 1 && !ofSockets.has(requirement),
);

/** Sections 6 to 8, and deltas, over streams (section 11): the cases of Level 1 once more. */
export const casesOverStreams: readonly ServerCase[] = kinds.flatMap(([name, accept]) =>
  common.map((one): ServerCase => ({ ...one, level: "stream", accept, title: `${one.title}, over ${name}` })),
);
