import type { Field } from "../../protocol/index.ts";
import type { IsMeant, OriginRequest } from "../../server/index.ts";
import type { Viewer } from "../engine/viewer.ts";
import { plainClaims } from "../json/plain-claims.ts";

/** A viewer as the application has it: its claims. */
export type AppViewer = Readonly<Record<string, unknown>>;

type ViewerOf = (request: OriginRequest) => Viewer | Promise<Viewer>;

/** Remembers whose requests are, so that those can be told who is meant when rights become others. */
export class KnownViewers {
  readonly #viewerOf: ViewerOf;
  readonly #listeners: Set<(isMeant: IsMeant) => void> = new Set();
  /** Whom fields were for: of those who follow something, the hub asks again with the very same. */
  readonly #known: WeakMap<readonly Field[], Viewer> = new WeakMap();

  constructor(viewerOf: ViewerOf) {
    this.#viewerOf = viewerOf;
  }

  /** Whom a request is for. @throws what says so throws; or the promise rejects with it */
  readonly of: ViewerOf = (request) => {
    const found = this.#viewerOf(request);
    if (found instanceof Promise) return found.then((viewer) => this.#note(request, viewer));
    return this.#note(request, found);
  };

  readonly subscribeDoubts = (listener: (isMeant: IsMeant) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Has those judged anew whom `isMeant` names, or fails for; those whose viewer is not known, too. */
  doubt(isMeant: (viewer: AppViewer) => boolean): void {
    const areMeant: IsMeant = (fields) => {
      const viewer = this.#known.get(fields);
      try {
        return viewer === undefined || isMeant(plainClaims(viewer));
      } catch {
        return true;
      }
    };
    for (const listener of this.#listeners) listener(areMeant);
  }

  #note({ fields }: OriginRequest, viewer: Viewer): Viewer {
    this.#known.set(fields, viewer);
    return viewer;
  }
}
