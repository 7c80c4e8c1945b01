import type { OriginResponse } from "../origin.ts";
import { type DocumentPlace, readDocument, rereadDocument } from "./document.ts";
import { contentTypeOf, differingFields, readStanding, type Standing, withoutFields } from "./standing.ts";

/** The document that a view shows to all its viewers, with the fields that are for all of them. */
export class ShownDocument {
  readonly #place: DocumentPlace;
  /** Fields in which viewers' answers with the same document differ: they are nobody else's business. */
  readonly #unshared: Set<string> = new Set();
  #standing: Standing;
  /** Whose answer it was. */
  #viewerKey: string;

  constructor(first: OriginResponse, viewerKey: string, place: DocumentPlace) {
    this.#place = place;
    this.#viewerKey = viewerKey;
    const document = readDocument(contentTypeOf(first), first.body, place);
    this.#standing = readStanding(document, first, place, () => false);
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** True where it is what this viewer's own GET returned. */
  isOf(viewerKey: string): boolean {
    return this.#viewerKey === viewerKey;
  }

  /** Takes a further viewer's answer with the same document: what differs in its fields is not shown any more. */
  agree(viewerKey: string, response: OriginResponse): void {
    if (this.isOf(viewerKey)) return;
    for (const name of differingFields(this.#standing, response)) this.#unshared.add(name);
    this.#standing = withoutFields(this.#standing, (name) => this.#unshared.has(name));
  }

  /** Takes a new document. */
  adopt(viewerKey: string, response: OriginResponse): void {
    const document = rereadDocument(this.#standing.document, contentTypeOf(response), response.body, this.#place);
    this.#standing = readStanding(document, response, this.#place, (name) => this.#unshared.has(name));
    this.#viewerKey = viewerKey;
  }
}
