import { readFileSync } from "node:fs";
import type {
  Body,
  EventId,
  Field,
  ItemOrder,
  Items,
  PatchStep,
  RetryClass,
  StreamEvent,
  StreamKind,
} from "../../src/protocol/index.ts";

/** A case of messages.json. */
export interface MessageVector {
  readonly name: string;
  readonly requirement: string;
  readonly kind: "request" | "response";
  readonly text?: string;
  readonly hex?: string;
  readonly exact?: boolean;
  readonly expect?: {
    readonly method?: string;
    readonly target?: string;
    readonly status?: number;
    readonly reason?: string;
    readonly fields: readonly Field[];
    readonly body?: string;
    readonly bodyHex?: string;
  };
  readonly closeCode?: number;
}

function read<Case>(name: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** Bytes written in hex, as an array that is no Buffer. */
export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** The frame's payload of a vector. */
export function dataOf({ text, hex = "" }: Pick<MessageVector, "text" | "hex">): Body {
  return text ?? bytesOf(hex);
}

export const messageVectors = read<MessageVector>("messages");
export const levelZeroVectors = read<{
  readonly name: string;
  readonly status: number;
  readonly contentType: string;
  readonly contentLocation: string;
  readonly body: string;
  readonly hex: string;
}>("level-0");
export const eventIdVectors = read<{ readonly eventId: string; readonly valid: boolean; readonly parts?: EventId }>(
  "event-id",
);
export const itemsVectors = read<{
  readonly field: string;
  readonly items: Items | null;
  readonly record: string | null;
  readonly exact: boolean;
}>("items");
export const urlTemplateVectors = read<{
  readonly template: string;
  readonly row: unknown;
  readonly url: string | null;
}>("url-template");
export const itemOrderVectors = read<{
  readonly field: string;
  readonly order: ItemOrder | null;
  readonly exact: boolean;
}>("item-order");
export const itemOrderComparisons = read<{
  readonly requirement: string;
  readonly order: string;
  readonly groups: readonly (readonly unknown[])[];
}>("item-order-comparisons");
export const itemOrderValues = read<unknown>("item-order-values");
export const closeCodeVectors = read<{
  readonly code: number;
  readonly listed: boolean;
  readonly retry: RetryClass;
}>("close-codes");
export const subprotocolVectors = read<{
  readonly name: string;
  readonly offered: readonly string[];
  readonly level: 0 | 1;
  readonly echo: string | null;
  readonly bearer: string | null;
}>("subprotocol");
export const acceptVectors = read<{
  readonly requirement: string;
  readonly accept: readonly string[];
  readonly stream: StreamKind | null;
  readonly inner: string | null;
}>("accept");
export const preferVectors = read<{
  readonly requirement: string;
  readonly prefer: readonly string[];
  readonly strict: boolean;
  readonly waitSeconds: number | null;
}>("prefer");

/** A case of event-stream.json. */
export interface EventStreamVector {
  readonly name: string;
  readonly requirement: string;
  readonly text?: string;
  readonly hex?: string;
  readonly events: readonly StreamEvent[];
  readonly retryMs: number | null;
}

/** A response as a vector has it. */
export interface ResponseVector {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body?: string;
  readonly bodyHex?: string;
}

export const eventStreamVectors = read<EventStreamVector>("event-stream");
export const eventMessageVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly text?: string;
  readonly hex?: string;
  readonly event: string;
  readonly expect: ResponseVector;
}>("event-messages");
export const eventRefusalVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly type: string;
  readonly data: string;
  readonly closeCode: number | null;
}>("event-refusals");
export const httpStreamVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly hex: string;
  readonly messages?: readonly ResponseVector[];
  readonly closeCode?: number;
}>("http-stream");
export const httpPartVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly text?: string;
  readonly hex?: string;
  readonly part: string;
}>("http-parts");
export const patchStreamVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly steps: readonly (PatchStep & { readonly bodyHex?: string })[];
  readonly eventId: string | null;
  readonly record: string;
  readonly event: string | null;
}>("patch-stream");
export const mergePatchVectors = read<{
  readonly requirement: string;
  readonly before: unknown;
  readonly patch: unknown;
  readonly after: unknown;
}>("merge-patch");
export const madeMergePatchVectors = read<{
  readonly requirement: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly patch: unknown;
}>("merge-patch-made");
export const deltaAcceptVectors = read<{
  readonly requirement: string;
  readonly accept: readonly string[];
  readonly takesDeltas: boolean;
  readonly inner: string | null;
}>("delta-accept");
export const deltaVectors = read<{
  readonly name: string;
  readonly requirement: string;
  readonly record: string;
  readonly before: unknown;
  readonly patch: unknown;
  readonly after: unknown;
}>("deltas");

/** What a client holds after a step of a sequence. */
export interface Held {
  readonly state: "waiting" | "opened" | "live" | "ended";
  readonly position?: string;
  /** The records of a list with their URLs, in order; `null` for one that has none. */
  readonly rows?: readonly (readonly [url: string | null, record: unknown])[];
  /** The record, where the resource is one. */
  readonly record?: unknown;
}

/** A case of sequences.json. */
export interface SequenceVector {
  readonly name: string;
  readonly requirement: string;
  readonly target: string;
  readonly steps: readonly {
    readonly message?: string;
    readonly hex?: string;
    readonly event?: "disconnected";
    /** Whether the message can't be taken in, so that the client has to subscribe anew. */
    readonly subscribesAnew?: boolean;
    readonly holds: Held;
  }[];
}

export const sequenceVectors = read<SequenceVector>("sequences");
