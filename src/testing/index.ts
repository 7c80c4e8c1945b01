export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export { connectMemoryPeer, type MemoryPeer, type MemoryPeerOptions } from "./memory-peer.ts";
export {
  createMemoryStore,
  type MemoryStore,
  type MemoryStoreOptions,
  type StoredRow,
  type StoreWriter,
} from "./memory-store.ts";
export { createRandom, type Random } from "./random.ts";
export { type Applied, isDelta, Replica } from "./replica.ts";
export type { MemoryStream } from "./stream-reading.ts";
