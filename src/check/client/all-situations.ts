import { deltaSituations } from "./situations/deltas.ts";
import { endingSituations } from "./situations/endings.ts";
import { eventSituations } from "./situations/events.ts";
import { messageSituations } from "./situations/messages.ts";
import { partSituations } from "./situations/parts.ts";
import { patchSituations } from "./situations/patches.ts";
import { pollSituations } from "./situations/polls.ts";
import { streamEndings } from "./situations/stream-endings.ts";
import { streamSituations } from "./situations/streams.ts";
import type { Situation } from "./stage.ts";

/** Every situation that a client is put into. */
export const situations: readonly Situation[] = [
  ...streamSituations,
  ...messageSituations,
  ...deltaSituations,
  ...endingSituations,
  ...eventSituations,
  ...partSituations,
  ...streamEndings,
  ...patchSituations,
  ...pollSituations,
];
