import type { Schema } from "../schema.ts";

/** Which tables are watched, by name. */
export interface IsWatched {
  (name: string): boolean;
  /** Told of each schema before its tables are asked for. Absent: the names alone decide. */
  learn?(schema: Schema): void;
}

/** Those that are asked for, and those that views are read from that are asked for. */
export function watchedBy(isAsked: (name: string) => boolean): IsWatched {
  let sources: ReadonlySet<string> = new Set();
  const learn = ({ views }: Schema): void => {
    sources = new Set(views.filter(({ name }) => isAsked(name)).flatMap(({ view }) => view?.sources.tables ?? []));
  };
  return Object.assign((name: string) => isAsked(name) || sources.has(name), { learn });
}

/** The views that may show something else than before: all of them where one was made anew or has gone, for they may be made of it. */
export function changedViews(before: Schema, now: Schema): Schema["views"] {
  const texts = new Map(now.views.map(({ name, view }) => [name, view?.sql]));
  return before.views.some(({ name, view }) => texts.get(name) !== view?.sql) ? before.views : [];
}
