import type { Transitions } from "./machine.ts";

/**
 * What became of a write.
 *
 * ```
 *  queued ──send───▶ sent ──answer──▶ answered ──settle──▶ over
 *     │ ◀──unsent──── │                                     ▲
 *     └────refuse─────┴─────────────────────────────────────┘
 * ```
 *
 * `queued`: it waits for its turn, and for what guards it. `sent`: it may have been carried out; it is sent again where that
 * is safe, and waits again where no connection came about. `answered`: it was carried out, and is shown until the streams show it. `over`: they do, or it was refused, or
 * another write took its place after a conflict.
 */
export type WriteState = "queued" | "sent" | "answered" | "over";

/** What happens to a write. */
export type WriteEvent = "send" | "unsent" | "answer" | "settle" | "refuse";

/** The only owner of a write's states. */
export const writeTransitions: Transitions<WriteState, WriteEvent> = {
  queued: { send: "sent", refuse: "over" },
  sent: { unsent: "queued", answer: "answered", refuse: "over" },
  answered: { settle: "over" },
  over: {},
};
