import { describe } from "vitest";
import type { Collection } from "../../src/client/index.ts";
import type { Clock } from "../../src/server/index.ts";
import { type FrontKind, type FrontOptions, frontKinds } from "./front-kinds.ts";
import { type Front, siteName, startFront } from "./fronts.ts";
import { type Artist, startServer } from "./places.ts";

/** A front, and what stands behind it. */
export interface SiteBehind {
  readonly front: Front;
  /** Adds an artist without the front; gives its URL. */
  add(name: string): Promise<string>;
}

/** Rocket below `/api`, as docs/set-ups.md starts it, behind a front. */
export async function startBehind(kind: FrontKind, options: FrontOptions = {}, clock?: Clock): Promise<SiteBehind> {
  const { port } = await startServer({ basePath: "/api", allowHosts: [siteName], ...(clock && { clock }) });
  const front = await startFront(kind, port, options);
  return {
    front,
    async add(name) {
      const response = await fetch(`http://127.0.0.1:${port}/api/artists`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name }),
      });
      await response.arrayBuffer();
      return response.headers.get("location") ?? "";
    },
  };
}

/** Tests behind each front; those that can't be run here are left out with a line that says why. */
export function describeBehindFronts(define: (kind: FrontKind) => void): void {
  for (const kind of frontKinds) {
    const { name, missing } = kind;
    if (missing !== "") console.log(`The tests behind ${name} are skipped: ${missing}.`);
    describe.skipIf(missing !== "")(`behind ${name}, which ends TLS,`, () => define(kind));
  }
}

/** Resolves once a collection shows these names, in this order. */
export function shows(artists: Collection<Artist>, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (
        artists
          .getSnapshot()
          .rows.map(({ name }) => name)
          .join() !== names.join()
      )
        return;
      queueMicrotask(() => stop());
      resolve();
    };
    const stop = artists.subscribe(look);
    look();
  });
}
