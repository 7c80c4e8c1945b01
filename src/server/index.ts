export { BasePath } from "./base-path.ts";
export { ByteBudget, type ByteClaim } from "./byte-budget.ts";
export { ByteCollector } from "./byte-collector.ts";
export { valuesBytes } from "./change-size.ts";
export type { DerivedOptions } from "./derived/derived-options.ts";
export type { Sha256 } from "./derived/digest.ts";
export type { RecordOptions } from "./derived/record-rule.ts";
export {
  documentBody,
  documentRequestFields,
  notInBand,
  refuseByHead,
  refuseInBandByHead,
  tooLarge,
  tooLargeInBand,
} from "./document-request.ts";
export { type FetchHandshake, type FetchHandshakeOptions, readHandshake } from "./fetch/fetch-handshake.ts";
export { type FetchOriginOptions, originFromFetch } from "./fetch/fetch-origin.ts";
export { type FetchHandler, type FetchStreamOptions, withStreams } from "./fetch/fetch-streams.ts";
export { forViewers, type ViewerAnswer } from "./for-viewers.ts";
export { awaitChange, type WaitOptions } from "./http/await-change.ts";
export { patchFramingOf, streamFramings } from "./http/stream-framings.ts";
export type {
  CollectionSight,
  ConnectionSight,
  DocumentSight,
  HubState,
  SubscriptionSight,
  ViewSight,
} from "./hub-state.ts";
export {
  createMemoryJournal,
  type MemoryJournal,
  type MemoryJournalOptions,
  type NewChange,
} from "./memory-journal.ts";
export { connectMessageSocket, type MessageSocket, type MessageSocketOptions } from "./message-socket.ts";
export type { ErrorHandler } from "./option-checks.ts";
export { type Clock, systemClock } from "./ports/clock.ts";
export type { Batch, Bookmark, Change, Image, Journal, Page, Representation, Value } from "./ports/journal.ts";
export type { Ahead, DirectView, Origin, OriginRequest, OriginResponse, Reads } from "./ports/origin.ts";
export type { IsMeant, Revocations } from "./ports/revocations.ts";
export { createLocalStaleness, type Staleness } from "./ports/staleness.ts";
export type { Framing, Transport } from "./ports/transport.ts";
export type { Connection } from "./stream/connection.ts";
export type { Handshake } from "./stream/handshake.ts";
export { createHub, type Hub, type HubCounts } from "./stream/hub.ts";
export type { HubLimits, HubOptions } from "./stream/hub-options.ts";
export type { Opening } from "./stream/opening.ts";
export { StallWatch } from "./stream/stall-watch.ts";
export type { PeerIdentity } from "./viewer.ts";
export { type Frame, framesIn, webSocketFraming } from "./web-socket-framing.ts";
