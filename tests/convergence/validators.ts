import { checkAtomic, checkGapless, checkOrdered, checkUnique } from "./delivery-checks.ts";
import type { ConnectionHistory, History, Row, Stream } from "./history.ts";
import { isInView, Model, rowText } from "./model.ts";
import { isChange, type Stretch, stretchesOf } from "./stretch.ts";

/** The promises, by the name that a violation is reported under. */
export type PromiseName = "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8" | "P9" | "P10";

/** Looks for breaches of one promise; gives each as a sentence. */
export type Validator = (history: History) => string[];

const maxSilenceMs = 20_000;
/** After so long a silence everything that was committed this long before it ended is behind a bookmark. */
const settledMs = 5_000;

function forStretches(check: (model: Model, stretch: Stretch) => string[]): Validator {
  return (history) => {
    const model = new Model(history);
    return history.streams.flatMap((stream) =>
      stretchesOf(model, stream).flatMap((stretch) => check(model, stretch).map((text) => `${stream.name}: ${text}`)),
    );
  };
}

function forStreams(check: (stream: Stream, model: Model) => string[]): Validator {
  return (history) => {
    const model = new Model(history);
    return history.streams.flatMap((stream) => check(stream, model).map((text) => `${stream.name}: ${text}`));
  };
}

function forConnections(check: (connection: ConnectionHistory, history: History) => string[]): Validator {
  return (history) =>
    history.connections.flatMap((connection) =>
      check(connection, history).map((text) => `${connection.name}: ${text}`),
    );
}

/** Every row that a subscription was shown, with its URL. */
function shownRows({ entries }: Stream): [url: string, row: Row][] {
  return entries.flatMap(({ url, row, rows }): [string, Row][] => [
    ...(rows ?? []),
    ...(row && url !== undefined ? [[url, row] as [string, Row]] : []),
  ]);
}

function checkCommitted({ history, byVersion }: Model, stream: Stream): string[] {
  return shownRows(stream).flatMap(([url, { version }]) => {
    if (history.aborted.has(version)) return [`version ${version} of ${url} was rolled back`];
    return byVersion.get(version)?.url === url ? [] : [`version ${version} of ${url} was never written`];
  });
}

function checkResume({ asked, entries }: Stream): string[] {
  const { lastEventId, isKnown, isStrict } = asked;
  const [first] = entries;
  if (lastEventId === undefined || !first || (first.status >= 300 && first.status !== 304 && first.status !== 410)) {
    return [];
  }
  if (lastEventId === "*") return first.status === 304 ? [] : [`"*" was answered with ${first.status}`];
  if (first.status === 304 && first.eventId !== lastEventId) {
    return [`a resume after ${lastEventId} began with a 304 at ${first.eventId}`];
  }
  if (isKnown === true && first.status !== 304) return [`${lastEventId} is known, and was answered ${first.status}`];
  const fresh = isStrict ? 410 : 200;
  if (isKnown === false && first.status !== fresh) {
    return [`${lastEventId} is not known, and was answered ${first.status} instead of ${fresh}`];
  }
  return [];
}

function checkSilence({ level, signs, graceMs, isSteady, openedAt, endedAt }: ConnectionHistory): string[] {
  if (!isSteady) return [];
  const times = [openedAt, ...signs, endedAt];
  const longest = Math.max(0, ...times.slice(1).map((time, at) => time - (times[at] ?? 0)));
  if (longest <= maxSilenceMs + graceMs) return [];
  return [`nothing came for ${longest} ms at Level ${level}`];
}

function checkBookmarks({ entries, asked, connection }: Stream, { history }: Model): string[] {
  if (!connection.isSteady) return [];
  return entries.flatMap(({ at, isShared, mark }, index) => {
    const before = entries[index - 1]?.at ?? asked.at;
    if (!isShared || !mark || mark.epoch !== history.finalEpoch || at - before < settledMs) return [];
    const settled = history.transactions.findLast((transaction) => transaction.at < at - settledMs)?.last ?? 0;
    return mark.position >= settled ? [] : [`a bookmark at ${at} ms stands at ${mark.position}, not at ${settled}`];
  });
}

function startState({ stream, opening }: Stretch): Map<string, Row> | undefined {
  if (opening?.rows) return new Map(opening.rows);
  return opening?.status === 304 && stream.asked.held ? new Map(stream.asked.held) : undefined;
}

function difference(state: ReadonlyMap<string, Row>, model: ReadonlyMap<string, Row>, urls: Iterable<string>): string {
  for (const url of urls) {
    const [has, should] = [rowText(state.get(url)), rowText(model.get(url))];
    if (has !== should) return `${url} is ${has}, and was ${should}`;
  }
  return "";
}

function checkExact(model: Model, stretch: Stretch): string[] {
  const { stream, base, steps } = stretch;
  const state = startState(stretch);
  if (!state || !base) return [];
  const truth = model.stateAt(stream.view, base.position);
  const first = difference(state, truth, new Set([...state.keys(), ...truth.keys()]));
  if (first) return [`the state at ${base.position} is not what a GET shows: ${first}`];
  let position = base.position;
  let unmarked: string[] = [];
  for (const { entry } of steps) {
    const { url, row, mark } = entry;
    if (stream.view.record !== undefined && entry.status === 204) return [];
    if (isChange(entry) && url !== undefined) {
      if (row) state.set(url, row);
      else state.delete(url);
      unmarked.push(url);
    }
    if (!mark || mark.epoch !== base.epoch || mark.position < position) continue;
    const touched = model.apply(stream.view, truth, position, mark.position);
    const wrong = difference(state, truth, new Set([...unmarked, ...touched]));
    if (wrong) return [`at ${mark.position} the replica is not what a GET shows: ${wrong}`];
    position = mark.position;
    unmarked = [];
  }
  return [];
}

function checkAuthorised(model: Model, stretch: Stretch): string[] {
  const { view } = stretch.stream;
  const shown = [...(stretch.opening?.rows ?? [])];
  return [
    ...shown.flatMap(([url, row]) => (isInView(view, url, row) ? [] : [`${rowText(row)} is not in ${view.url}`])),
    ...stretch.steps.flatMap(({ entry: { status, url = "", row, head }, change }) => {
      if (row) return isInView(view, url, row) ? [] : [`${url} with ${rowText(row)} is not in ${view.url}`];
      const left = change ?? model.leave(view, url, 0, head);
      return status === 204 && !left ? [`a 204 tells of ${url}, which never was in ${view.url}`] : [];
    }),
  ];
}

function checkBounded(
  { peakUnsentBytes, largestSnapshotBytes }: ConnectionHistory,
  { maxUnsentBytes, overshootBytes }: History,
): string[] {
  const most = maxUnsentBytes + largestSnapshotBytes + overshootBytes;
  return peakUnsentBytes <= most ? [] : [`${peakUnsentBytes} bytes were unsent, more than ${most}`];
}

/** One validator for each promise, over the whole history of a run. */
export const validators: Readonly<Record<PromiseName, Validator>> = {
  P1: forStretches(checkOrdered),
  P2: forStretches(checkUnique),
  P3: (history) => [
    ...forStretches(checkGapless)(history),
    ...history.streams
      .filter(({ level, isOpenAtEnd, entries }) => level === 1 && isOpenAtEnd && entries.length === 0)
      .map(({ name }) => `${name}: nothing ever came`),
  ],
  P4: forStreams((stream, model) => checkCommitted(model, stream)),
  P5: forStretches(checkAtomic),
  P6: forStreams(checkResume),
  P7: (history) => [...forConnections(checkSilence)(history), ...forStreams(checkBookmarks)(history)],
  P8: forStretches(checkExact),
  P9: (history) => [
    ...forStretches(checkAuthorised)(history),
    ...forConnections(({ strays }) => strays.map((stray) => `${stray} belongs to no subscription`))(history),
  ],
  P10: forConnections(checkBounded),
};

/** All violations, each beginning with the promise that it breaks. */
export function violationsOf(history: History): string[] {
  return Object.entries(validators).flatMap(([name, check]) => check(history).map((text) => `${name} ${text}`));
}
