import type { Transitions } from "./machine.ts";

/**
 * How the stream of one URL stands.
 *
 * ```
 *           head             message
 *  asking ───────▶ opening ──────────▶ open
 *   │ ▲               │                 │
 *   │ │               ▼                 │
 *   │ └────due──── waiting ◀────end─────┘          any ──stop──▶ over
 *   └─────end────────▲
 * ```
 *
 * `asking`: the request is sent. `opening`: its head has come. `open`: messages come. `waiting`: it has ended, and is asked
 * for again later. `over`: for good.
 */
export type StreamState = "asking" | "opening" | "open" | "waiting" | "over";

/** What happens to a stream. */
export type StreamHappening = "head" | "message" | "end" | "due" | "stop";

/** The only owner of a stream's states. */
export const streamTransitions: Transitions<StreamState, StreamHappening> = {
  asking: { head: "opening", end: "waiting", stop: "over" },
  opening: { message: "open", end: "waiting", stop: "over" },
  open: { end: "waiting", stop: "over" },
  waiting: { due: "asking", stop: "over" },
  over: {},
};

/**
 * The way by which URLs are followed where there is no socket of Level 1.
 *
 * ```
 *  none ──elsewhere──▶ level-0        streams ──buffered──▶ buffered ──due──▶ streams
 *  none ──blocked────▶ polling
 *  none ──offered────▶ streams        any ──back──▶ none
 * ```
 *
 * `none`: the socket is the way, or nobody knows yet. `level-0`: a server of the 2013 proposal. `polling`: GETs at intervals.
 * `streams`: one for each URL, as many as a host may have, and GETs at intervals for the others. `buffered`: GETs for a while,
 * since something on the way holds streams back.
 */
export type Way = "none" | "level-0" | "polling" | "streams" | "buffered";

/** What is found out about the way. */
export type WayFinding = "elsewhere" | "blocked" | "offered" | "buffered" | "due" | "back";

/** The only owner of the ways. */
export const wayTransitions: Transitions<Way, WayFinding> = {
  none: { elsewhere: "level-0", blocked: "polling", offered: "streams" },
  "level-0": { back: "none" },
  polling: { back: "none" },
  streams: { buffered: "buffered", back: "none" },
  buffered: { due: "streams", back: "none" },
};
