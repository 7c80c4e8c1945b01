import type { View } from "./layer.ts";
import type { RowUrls } from "./row-urls.ts";

/** What a guarded write is compared with: the version that is shown, or a `base` that was kept. */
export type Guard = "shown" | "base";

/** Where versions were seen. */
export interface Shown {
  readonly urls: RowUrls;
  readonly views: ReadonlySet<View>;
}

/** What a guarded write is compared with has to be there, and whole. @throws TypeError */
export function requireSeen(url: string, seen: unknown, guard: Guard, { urls, views }: Shown): void {
  if (typeof seen !== "object" || seen === null)
    throw new TypeError(
      guard === "base"
        ? `base is ${seen}: it is the row as it was seen when the form was opened, or is left out.`
        : `Nothing was seen of ${url} yet: there is no version that it could be unchanged from.`,
    );
  if (guard === "shown" || urls.has(seen)) return;
  const rows = [...views].map(({ feed }) => feed.replica.get(url)).filter((row) => row !== undefined);
  const lacks = rows.map((row) => Object.keys(Object(row)).filter((name) => !Object.hasOwn(seen, name)));
  if (lacks.some(({ length }) => length === 0)) return;
  const [missing = []] = lacks;
  if (missing.length === 0 && Object.keys(seen).length > 0) return;
  throw new TypeError(
    `base is no whole row of ${url}${missing.length > 0 ? `: ${missing.join(", ")} is missing` : ", but empty"}. What was not seen can't be compared.`,
  );
}
