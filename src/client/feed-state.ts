import type { Transitions } from "./machine.ts";

/**
 * How a feed stands to its server.
 *
 * ```
 *             early              snapshot, bookmark
 *  waiting ─────────▶ early ──────────────────────▶ opened ──bookmark──▶ live
 *   │ ▲ ▲ ◀─change──────┘                           ▲ │  ◀──snapshot────┘ │
 *   │ │ └──────────────────lost─────────────────────┼─┘                   │
 *   │ └────────────────────lost─────────────────────┼─────────────────────┘
 *   └────────────snapshot, bookmark─────────────────┘
 *
 *  any ──failure──▶ failed ──again──▶ waiting          any ──close──▶ closed
 * ```
 *
 * `waiting`: no connection has begun to tell of it. `early`: what a GET returned beside the connection is shown. `opened`:
 * the opening message was taken. `live`: everything up to now was told, by a bookmark after that [R-SUB-1]. `failed`: it was
 * refused, until somebody asks again. `closed`: for good.
 */
export type FeedState = "waiting" | "early" | "opened" | "live" | "failed" | "closed";

/** What happens to a feed: messages that come, and what its transport and its client say. */
export type FeedEvent = "early" | "snapshot" | "bookmark" | "change" | "lost" | "failure" | "again" | "close";

/** The only owner of a feed's states. */
export const feedTransitions: Transitions<FeedState, FeedEvent> = {
  waiting: { early: "early", snapshot: "opened", bookmark: "opened", failure: "failed", close: "closed" },
  early: { snapshot: "opened", bookmark: "opened", change: "waiting", failure: "failed", close: "closed" },
  opened: { bookmark: "live", lost: "waiting", failure: "failed", close: "closed" },
  live: { snapshot: "opened", lost: "waiting", failure: "failed", close: "closed" },
  failed: { again: "waiting", close: "closed" },
  closed: {},
};
