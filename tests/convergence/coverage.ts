import type { ConnectionHistory, Stream } from "./history.ts";
import type { LiveStream } from "./live-stream.ts";
import type { Outcome } from "./runner.ts";

type Counts = Map<string, number>;

const heartbeatGapMs = 15_000;

/** Everything that the runs together must have done, or they prove less than they say. */
export const paths: readonly string[] = [
  "committed",
  "rolled back",
  "reset",
  "lost",
  "trimmed",
  "killed",
  "stopped gracefully",
  "connected to a server that stops",
  "several transactions in one batch",
  "page cut before the head",
  "read that failed",
  "read of what was trimmed",
  "resume from recent changes",
  "resume from the journal",
  "resume with nothing missed",
  "resume over a restart",
  "fresh 200 after a trim",
  "fresh 200 after a lost history",
  "fresh 200 for a position that means nothing",
  "fresh 200 for a position beyond the end",
  "410 where strict",
  "304 for *",
  "304 for a known ETag",
  "200 that was not asked for",
  "parked",
  "parked, and gone on without a 200",
  "record that ended",
  "record that ended in band",
  "refused in band",
  "close with 1000",
  "close with 1001",
  "close with 1001 at Level 0",
  "close with 4404",
  "heartbeat",
  "ping",
  "three subscriptions at once",
  "second SUBSCRIBE",
  "transaction of several messages",
  "told by deltas",
  "told by deltas, and parked",
];

function hasMissed({ entries }: Stream): boolean {
  const caughtUp = entries.findIndex(({ status }, at) => at > 0 && status === 304);
  return caughtUp > 1;
}

function segmentOf(eventId: string | undefined): string | undefined {
  return eventId?.split(":")[0];
}

function* resumePaths(stream: LiveStream): Generator<string> {
  const { asked, entries, readsAfter, readsBefore } = stream;
  const [first, ...rest] = entries;
  const { lastEventId, lastMark, isKnown } = asked;
  if (!first || lastEventId === undefined) return;
  if (lastEventId === "*") yield `${first.status} for *`;
  else if (first.status === 410) yield "410 where strict";
  else if (first.status === 304 && rest.some(({ status }) => status === 304)) {
    if (!hasMissed(stream)) yield "resume with nothing missed";
    else yield readsAfter === readsBefore ? "resume from recent changes" : "resume from the journal";
    if (rest.some(({ eventId }) => eventId !== undefined && segmentOf(eventId) !== segmentOf(lastEventId))) {
      yield "resume over a restart";
    }
  } else if (first.status === 200 && isKnown === false) {
    if (!lastMark) yield "fresh 200 for a position that means nothing";
    else if (lastMark.epoch !== asked.epoch) yield "fresh 200 after a lost history";
    else yield lastMark.position > asked.head ? "fresh 200 for a position beyond the end" : "fresh 200 after a trim";
  }
}

function* streamPaths(stream: LiveStream, maxUnsentBytes: number): Generator<string> {
  const { level, view, asked, entries, connection, isOpenAtEnd } = stream;
  yield* resumePaths(stream);
  const [first] = entries;
  if (first?.status === 304 && asked.lastEventId === undefined && level === 1) yield "304 for a known ETag";
  const isUnasked = entries.slice(1).some(({ status }) => status === 200);
  if (isUnasked) yield "200 that was not asked for";
  const isParked = connection.peakUnsentBytes > maxUnsentBytes;
  if (isParked && isOpenAtEnd && !isUnasked && level === 1) yield "parked, and gone on without a 200";
  if (view.record !== undefined && entries.at(-1)?.status === 204 && level === 1) {
    yield stream.isInBand ? "record that ended in band" : "record that ended";
  }
  if (stream.isInBand && (first?.status ?? 0) >= 400) yield "refused in band";
  if (entries.some(({ isAnswer }) => isAnswer)) yield "second SUBSCRIBE";
  if (entries.some(({ row, eventId }) => row && !eventId) && level === 1) yield "transaction of several messages";
  for (const [at, { isShared, at: time }] of entries.entries()) {
    if (isShared && time - (entries[at - 1]?.at ?? time) > heartbeatGapMs) yield "heartbeat";
  }
}

function* connectionPaths(connection: ConnectionHistory, outcome: Outcome): Generator<string> {
  const { level, closeCode, deltas, peakUnsentBytes, signs, isSteady, endedAt, openedAt } = connection;
  const { maxUnsentBytes, streams } = outcome.history;
  if (peakUnsentBytes > maxUnsentBytes) yield "parked";
  if (deltas > 0) yield "told by deltas";
  if (deltas > 0 && peakUnsentBytes > maxUnsentBytes) yield "told by deltas, and parked";
  if (closeCode !== undefined) yield `close with ${closeCode}`;
  if (closeCode === 1001 && level === 0) yield "close with 1001 at Level 0";
  if (level === 0 && isSteady && signs.length > 0 && endedAt - openedAt > heartbeatGapMs) yield "ping";
  if (streams.filter((stream) => stream.connection === connection).length > 2) yield "three subscriptions at once";
}

function* outcomePaths(outcome: Outcome): Generator<string> {
  const { cutPages, failures, mergedBatches, trimmedReads } = outcome.counts;
  if (mergedBatches > 0) yield "several transactions in one batch";
  if (cutPages > 0) yield "page cut before the head";
  if (failures > 0) yield "read that failed";
  if (trimmedReads > 0) yield "read of what was trimmed";
  yield* outcome.deeds.keys();
  for (const stream of outcome.history.streams) {
    yield* streamPaths(stream as LiveStream, outcome.history.maxUnsentBytes);
  }
  for (const connection of outcome.history.connections) yield* connectionPaths(connection, outcome);
}

/** Adds what a run did to the counts. */
export function count(counts: Counts, outcome: Outcome): void {
  for (const path of outcomePaths(outcome)) counts.set(path, (counts.get(path) ?? 0) + 1);
}
