import { hasMembers } from "./deep-equal.ts";
import type { Feed } from "./feed.ts";
import { nameOf, noUrl, temporaryUrl } from "./row-urls.ts";
import type { StoredWrite } from "./write.ts";

/** The records that this client creates: their URLs before and after the answer, and the keys that they are shown by. */
export class CreatedRecords {
  readonly #views: ReadonlySet<{ readonly feed: Feed }>;
  /** Real URLs by temporary ones. */
  readonly #urls: Map<string, string> = new Map();
  /** The keys of records that are not shown by their own URL, or must not be from now on, by that URL. */
  readonly #keys: Map<string, string> = new Map();
  /** Where records are written to that have no URL by their names, by those: with `#` where that is not known. */
  readonly #links: Map<string, string> = new Map();
  /** The URLs of records that came and must be those which creates are about to make, by the write's id. */
  readonly #arrived: Map<string, string> = new Map();
  /** The URLs of records that came since a create was made, and so after its own row was shown, by the write's id. */
  readonly #come: Map<string, Set<string>> = new Map();

  /** @param views - those whose rows are known */
  constructor(views: ReadonlySet<{ readonly feed: Feed }>) {
    this.#views = views;
  }

  /** The URL of the record that a write is about; the temporary one while it has no other. */
  of({ kind, id, url }: StoredWrite): string {
    return this.real(kind === "create" ? temporaryUrl + id : url);
  }

  /** The real URL for a temporary one, where it is known; any other as it is. */
  real(url: string): string {
    return this.#urls.get(url) ?? url;
  }

  /** Where a record is written to: a URL, or what names one that has none. */
  linkOf(url: string): string {
    const name = this.real(url);
    // A list may tell by now what it did not when the record was created.
    if (this.#links.get(name)?.includes(noUrl) && this.#hasUrl(name)) this.#links.delete(name);
    return this.#links.get(name) ?? name;
  }

  #hasUrl(name: string): boolean {
    return [...this.#views].some(({ feed: { replica } }) => replica.urlOf(replica.get(name)) === name);
  }

  /** True where the answer told which record a create made. */
  isNamed({ id }: StoredWrite): boolean {
    return this.#urls.has(temporaryUrl + id);
  }

  /** The URL of a record that came before the answer said that the write made it. */
  arrived({ id }: StoredWrite): string | undefined {
    return this.#arrived.get(id);
  }

  /** Notes a record that came since a create was made. */
  noteCome(write: StoredWrite, url: string, row: unknown): void {
    const come = this.#come.get(write.id) ?? new Set();
    if (!this.isShown(url)) this.#come.set(write.id, come.add(url));
    this.noteArrived(write, url, row);
  }

  /** Notes a record that may be what a create is about to make, also one that was there before. */
  noteArrived(write: StoredWrite, url: string, row: unknown): void {
    if (!this.#keys.has(url) && hasMembers(row, write.values)) this.#claim(write, url);
  }

  /** The answer to a create did not tell which record it made: it is the first that came, the one that is equal before others. */
  settleFor(write: StoredWrite, come: ReadonlyMap<string, unknown>): void {
    for (const [url, row] of come) if (hasMembers(row, write.values)) this.#claim(write, url);
    for (const url of come.keys()) this.#claim(write, url);
    const found = this.arrived(write);
    if (found !== undefined) this.#noteKey(found, write);
  }

  /** True for a record that is known to be, or must be, what a create makes. */
  isClaimed(url: string): boolean {
    return this.keyOf(url).startsWith(temporaryUrl) || [...this.#arrived.values()].includes(url);
  }

  /** One record is what one create made. */
  #claim({ id }: StoredWrite, url: string): void {
    if (!this.isClaimed(url) && !this.#arrived.has(id)) this.#arrived.set(id, url);
  }

  /** A create is settled, or refused. Where its answer was lost, the record that came goes on in the place of its row. */
  forget(write: StoredWrite): void {
    const come = this.arrived(write);
    if (come !== undefined) this.#noteKey(come, write);
    this.#arrived.delete(write.id);
    this.#come.delete(write.id);
  }

  /**
   * The answer said which record a create made.
   *
   * @param url - what names it in lists, with `#` where that is no URL; or, where no list tells, `link`
   * @param link - the URL that the server told
   */
  name(write: StoredWrite, url: string, link: string = url): void {
    const name = nameOf(url);
    this.#urls.set(temporaryUrl + write.id, name);
    if (url.includes(noUrl)) this.#links.set(name, link);
    if (url.includes(noUrl) && link !== url) this.#urls.set(link, name);
    // What was taken for it before is somebody else's.
    this.#arrived.delete(write.id);
    this.#noteKey(name, write);
  }

  /** Of the keys that a record was given out by, as a create's row and by its own URL, the first one stays. */
  #noteKey(url: string, { id }: StoredWrite): void {
    const isFirst = !this.#keys.has(url) || (this.isShown(url) && this.#come.get(id)?.has(url));
    if (isFirst) this.#keys.set(url, temporaryUrl + id);
  }

  /** The key of a record in lists: the URL that it was shown by first. */
  keyOf(url: string): string {
    return this.#keys.get(url) ?? url;
  }

  /** A record is shown by its own URL, and that holds: also where a create turns out to have made it that was shown later. */
  noteShown(url: string): void {
    if (!this.#keys.has(url)) this.#keys.set(url, url);
  }

  /** True for a record that is shown by its own URL, as was noted. */
  isShown(url: string): boolean {
    return this.#keys.get(url) === url;
  }
}
