import { readFileSync } from "node:fs";
import type { Body, EventId, Field, ItemOrder, Items, RetryClass } from "../../src/protocol/index.ts";

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
export function dataOf({ text, hex = "" }: MessageVector): Body {
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
