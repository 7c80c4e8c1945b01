"use client";

export { RocketProvider, type RocketProviderProps, useClient } from "./context.ts";
export { type UseCollectionOptions, type UseCollectionResult, useCollection } from "./use-collection.ts";
export { type UseRecordOptions, type UseRecordResult, useRecord } from "./use-record.ts";
export { useRocketStatus } from "./use-rocket-status.ts";
export { type UseSessionResult, useSession } from "./use-session.ts";
