import { formatPointer, type Items, type RecordRule } from "../../protocol/index.ts";

/** A rule that the app states. */
export interface StatedRule extends RecordRule {
  /** Told of each document that is not as the app said: there is no such list, or a row has no URL of its own. */
  readonly onUnfit?: ((what: "place" | "row") => void) | undefined;
}

/** Where an app's own documents hold records, where Rocket can't tell by itself. */
export interface RecordOptions {
  /**
   * Where the document has its list: the name of a member, or, beginning with a slash, a JSON pointer (RFC 6901), as
   * `/_embedded/posts`. Default: the document itself is the list.
   */
  readonly list?: string;
  /** The name of a row's member that is its key: the record's URL is the collection's with the key behind it. */
  readonly key?: string;
  /** A JSON pointer into a row to its link. Either `key` or `link` is needed. */
  readonly link?: string;
}

/** The rule that options state, which were checked. */
export function recordRuleOf(options: RecordOptions & Pick<StatedRule, "onUnfit">): StatedRule {
  const { list: place = "", key = "", link, onUnfit } = options;
  const list = place === "" || place.startsWith("/") ? place : formatPointer(place);
  if (link !== undefined) return { list, pointer: link, kind: "link", onUnfit };
  return { list, pointer: formatPointer(key), kind: "key", onUnfit };
}

/** The `Items` field of a document that is not as the app said: it is one record [R-FLD-13]. */
export function unfitItems({ list }: RecordRule): Items {
  return { record: "", unfit: list };
}
