import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { Feed } from "./feed.ts";
import { nameOf } from "./row-urls.ts";

/** What the record of a message is known by. */
export function urlIn({ fields }: HttpResponse): string | undefined {
  const url = fieldValue(fields, "content-location");
  return url && nameOf(url);
}

/** What the records are known by that came into a feed for the first time, by a batch that it has taken. */
export function enteredIn({ replica, state }: Feed, batch: readonly HttpResponse[]): readonly string[] {
  const entered = batch.filter(({ status }) => status === 201).flatMap((message) => urlIn(message) ?? []);
  const isWhole = state === "early" || batch.some(({ status }) => status === 200);
  return isWhole ? [...entered, ...replica.arrived] : entered;
}
