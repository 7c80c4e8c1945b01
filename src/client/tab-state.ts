import type { Transitions } from "./machine.ts";

/**
 * How a tab stands to the connection that tabs share.
 *
 * ```
 *  unknown ──known──▶ following
 *     │                  │
 *     └──────alone───────┴──▶ alone          any ──close──▶ closed
 * ```
 *
 * `unknown`: others can't see yet that this tab is there, so it asks nothing of them. `following`: it asks the tab that has
 * the connection. `alone`: it has its own, since it holds the lock, or since nobody answered. `closed`: for good.
 */
export type TabState = "unknown" | "following" | "alone" | "closed";

/** What happens to a tab: others can see it, it gets a connection of its own, it ends. */
export type TabEvent = "known" | "alone" | "close";

/** The only owner of a tab's states. */
export const tabTransitions: Transitions<TabState, TabEvent> = {
  unknown: { known: "following", alone: "alone", close: "closed" },
  following: { alone: "alone", close: "closed" },
  alone: { close: "closed" },
  closed: {},
};
