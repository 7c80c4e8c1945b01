import type { DerivedView } from "./derived-view.ts";
import { PathIndex } from "./paths.ts";
import { pathsOf } from "./sources.ts";

/** The derived views that are looked at, by their names and paths. */
export class NamedViews {
  readonly #views: Map<string, DerivedView> = new Map();
  readonly #paths: PathIndex<DerivedView> = new PathIndex();
  /** The paths that each was added by. */
  readonly #pathsOf: Map<DerivedView, readonly string[]> = new Map();
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
    this.place(view);
  }

  /** Has a view found by what it reads now. */
  place(view: DerivedView): void {
    for (const path of this.#pathsOf.get(view) ?? []) this.#paths.remove(path, view);
    const paths = pathsOf(view.url, view.sources.reads);
    for (const path of paths) this.#paths.add(path, view);
    this.#pathsOf.set(view, paths);
  }

  remove(view: DerivedView): void {
    if (this.has(view)) this.#views.delete(view.key);
    for (const path of this.#pathsOf.get(view) ?? []) this.#paths.remove(path, view);
    this.#pathsOf.delete(view);
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
