import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { CreatedRecords } from "./created.ts";
import { enteredIn } from "./entered.ts";
import type { Feed } from "./feed.ts";
import type { HeldRows } from "./held-rows.ts";
import type { Http } from "./http.ts";
import { noUrl, type RowUrls, temporaryUrl } from "./row-urls.ts";
import { writtenIn } from "./sender.ts";
import type { Write } from "./write.ts";

/** What recognising needs. */
export interface RecogniserOptions {
  readonly created: CreatedRecords;
  readonly held: HeldRows;
  readonly http: Http;
  readonly urls: RowUrls;
  /** The views whose rows are known. */
  readonly views: ReadonlySet<{ readonly feed: Feed }>;
  /** Told of the URL of a record that a temporary one stood for. */
  readonly onUrl: (temporary: string, url: string) => void;
}

/**
 * Finds which records creates made. The record in the answer has its URL by where the list has its records, as the rows
 * that the server tells of have theirs: so both are known to be one, whichever comes first. Where the list or the answer
 * does not tell, it is `Content-Location` or `Location`; where there is none of them, a record that came since.
 */
export class Recogniser {
  readonly #options: RecogniserOptions;

  constructor(options: RecogniserOptions) {
    this.#options = options;
  }

  /** Finds the record in the answer to a create, and its URL. */
  answered(write: Write, answer: HttpResponse, url: string): void {
    const { http } = this.#options;
    write.row = writtenIn(answer, write.values, (row) => this.#urlInLists(row, write));
    const links = ["content-location", "location"].map((name) => fieldValue(answer.fields, name));
    const linked = links.map((link) => (link === undefined ? undefined : http.linked(link, url)));
    // Some answer with the list.
    const link = linked.find((one) => one !== undefined && one.split("?")[0] !== write.url);
    const name = this.#urlInLists(write.row, write) ?? link;
    if (name !== undefined) this.#name(write, name, link);
  }

  /** Something came: a record that a create makes, or the list by which it is known what one made that was answered before. */
  came(writes: readonly Write[], feed: Feed, batch: readonly HttpResponse[]): void {
    for (const write of writes) {
      if (write.kind !== "create" || this.#options.created.isNamed(write)) continue;
      const name = write.state === "answered" ? this.#urlInLists(write.row, write) : undefined;
      if (name !== undefined) this.#name(write, name);
      else if (feed.target.split("?")[0] === write.url) this.#entered(write, feed, enteredIn(feed, batch));
    }
  }

  #entered(write: Write, feed: Feed, urls: readonly string[]): void {
    const { created, held, views } = this.#options;
    const others = [...views].map((view) => view.feed.replica).filter((replica) => replica !== feed.replica);
    for (const url of urls) {
      created.noteCome(write, url, feed.replica.get(url));
      // What a list begins with, and what is known from elsewhere, is older than the create.
      const isNew = feed.replica.hasBegun && others.every((replica) => replica.get(url) === undefined);
      if (isNew && write.state === "sent") held.hold(write, url);
    }
  }

  /** A create is settled: what came is what it made. */
  settled(write: Write): void {
    const { created, urls, views } = this.#options;
    const come = created.isNamed(write) ? undefined : created.arrived(write);
    if (come === undefined) return;
    const rows = [...views].map(({ feed }) => Object(feed.replica.get(come)) as object);
    this.#name(write, rows.map((row) => urls.get(row)).find((url) => url !== undefined) ?? come);
  }

  #urlInLists(row: unknown, { url: path }: Write): string | undefined {
    for (const { feed } of this.#options.views) {
      const url = feed.target.split("?")[0] === path ? feed.replica.urlOf(row) : undefined;
      if (url !== undefined) return url;
    }
    return undefined;
  }

  #name(write: Write, name: string, link?: string): void {
    const { created, onUrl } = this.#options;
    created.name(write, name, link);
    const url = created.linkOf(name);
    if (!url.includes(noUrl)) onUrl(temporaryUrl + write.id, url);
  }
}
