import { deltaSituations } from "./situations/deltas.ts";
import { endingSituations } from "./situations/endings.ts";
import { messageSituations } from "./situations/messages.ts";
import { streamSituations } from "./situations/streams.ts";
import type { Situation } from "./stage.ts";

/** Every situation that a client is put into. */
export const situations: readonly Situation[] = [
  ...streamSituations,
  ...messageSituations,
  ...deltaSituations,
  ...endingSituations,
];
