/** A view that one anonymous viewer follows. */
interface Twin {
  readonly url: string;
  readonly eventId: string;
}

/** So many equal views are worth a word. */
const many = 20;

/** Notices where many anonymous viewers each have a view of their own of one URL, and all show the same. */
export class Twins {
  readonly #report: (error: Error) => void;
  readonly #views: Map<string, Set<Twin>> = new Map();
  #isReported = false;

  /** @param report - told once what the application could declare */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  add(view: Twin): void {
    let views = this.#views.get(view.url);
    if (!views) {
      views = new Set();
      this.#views.set(view.url, views);
    }
    views.add(view);
    if (this.#isReported || views.size % many !== 0) return;
    if ([...views].some(({ eventId }) => eventId !== view.eventId)) return;
    this.#isReported = true;
    this.#report(
      new Error(
        `${views.size} anonymous viewers of ${view.url.split("?")[0]} get the same document, each by GETs of its own. ` +
          'If it is the same for everybody, answer it with "Cache-Control: public", or declare that all that is anonymous is (anonymous: "shared", --share-anonymous).',
      ),
    );
  }

  delete(view: Twin): void {
    const views = this.#views.get(view.url);
    if (views?.delete(view) && views.size === 0) this.#views.delete(view.url);
  }
}
