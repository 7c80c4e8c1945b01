import type { DerivedView } from "./derived-view.ts";
import { PathIndex } from "./paths.ts";

/** The derived views that are looked at, by their names and paths. */
export class NamedViews {
  readonly #views: Map<string, DerivedView> = new Map();
  readonly #paths: PathIndex<DerivedView> = new PathIndex();
  #made = 0;

  get size(): number {
    return this.#views.size;
  }

  get all(): DerivedView[] {
    return [...this.#views.values()];
  }

  /** How many follow them. */
  get followers(): number {
    let followers = 0;
    for (const { members } of this.#views.values()) followers += members.followers;
    return followers;
  }

  /** A name that nobody else finds. */
  nameAlone(name: string): string {
    this.#made += 1;
    return `${name} ${this.#made}`;
  }

  /** Adds a view by its name. Where that is taken, it is told apart by itself only: nobody else finds it. */
  add(view: DerivedView): void {
    while (this.#views.has(view.key)) view.key = this.nameAlone(view.key);
    this.#views.set(view.key, view);
    this.#paths.add(view.url, view);
  }

  remove(view: DerivedView): void {
    if (this.has(view)) this.#views.delete(view.key);
    this.#paths.remove(view.url, view);
  }

  has(view: DerivedView): boolean {
    return this.#views.get(view.key) === view;
  }

  get(name: string): DerivedView | undefined {
    return this.#views.get(name);
  }

  /** Those of these names that there are. */
  named(names: readonly string[]): DerivedView[] {
    return names.flatMap((name) => this.#views.get(name) ?? []);
  }

  /** Those that a write to these URLs makes stale. */
  touched(urls: readonly string[]): Set<DerivedView> {
    const touched = new Set<DerivedView>();
    for (const url of urls) for (const view of this.#paths.touched(url)) touched.add(view);
    return touched;
  }
}
