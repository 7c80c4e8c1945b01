import type { DerivedView } from "./derived-view.ts";

/** In which declared views each viewer is a member, by its key. */
export class DeclaredViews {
  readonly #viewsOf: Map<string, Set<DerivedView>> = new Map();
  readonly #keysOf: WeakMap<DerivedView, Set<string>> = new WeakMap();

  of(key: string): Iterable<DerivedView> {
    return this.#viewsOf.get(key) ?? [];
  }

  add(key: string, view: DerivedView): void {
    const views = this.#viewsOf.get(key) ?? new Set();
    this.#viewsOf.set(key, views.add(view));
    const keys = this.#keysOf.get(view) ?? new Set();
    this.#keysOf.set(view, keys.add(key));
  }

  remove(view: DerivedView): void {
    for (const key of this.#keysOf.get(view) ?? []) {
      const views = this.#viewsOf.get(key);
      if (views?.delete(view) && views.size === 0) this.#viewsOf.delete(key);
    }
    this.#keysOf.delete(view);
  }
}
