export { type Clock, systemClock } from "./clock.ts";
export type { Batch, Bookmark, Change, Image, Journal, Page, Representation, Value } from "./journal.ts";
export type { DirectView, Origin, OriginRequest, OriginResponse } from "./origin.ts";
export type { Framing, Transport } from "./transport.ts";
