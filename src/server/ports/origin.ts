import type { Filter } from "../../filter/index.ts";
import type { Body, Field } from "../../protocol/index.ts";
import type { Bookmark, Change, Value } from "./journal.ts";

/** A request for the origin: plain HTTP, or what the hub asks on a viewer's behalf. */
export interface OriginRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** The viewer's fields; hop-by-hop and handshake fields are gone. */
  readonly fields: readonly Field[];
  readonly body: Body;
  /** Who the peer is at the transport, as `Handshake.peer` had it; opaque to the hub. */
  readonly peer?: unknown;
  /** The same object for all requests of one viewer for one view: an origin may keep a connection for them, never for others. */
  readonly lane?: object;
  /**
   * True where the peer itself sent the request, in band: it is carried out as it stands, as one over HTTP. Otherwise the
   * hub asks for a document on the peer's behalf.
   */
  readonly isInBand?: boolean;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** What an answer was read from. */
export interface Reads {
  /** The collections' paths, as in `Change.collection`. */
  readonly collections: readonly string[];
  /** Whether there is nothing else. Otherwise whatever changes may show in the answer. */
  readonly isComplete: boolean;
}

/** What the origin answers. */
export interface OriginResponse {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Body;
  /** What a journal needs to keep a GET's or HEAD's 2xx answer live; absent where it can't. */
  readonly view?: DirectView;
  /**
   * The URL in canonical form of what no journal keeps live, as {@link DirectView.url}: it is asked for by that, and goes
   * on under its name where a journal kept it live before. Default: the target.
   */
  readonly url?: string;
  /**
   * What the answer to a GET, a 304 included, was read from: what is told as changed there makes a derived view of it stale.
   * Such an origin is believed at once: nothing in its documents differs from look to look but what was written, and a 404
   * is not asked for twice [R-DER-7]. Default: nobody knows, and the paths above and below the URL count.
   */
  readonly reads?: Reads;
  /** Why a 2xx answer can't be followed, not by asking again either: a sentence for the 422's detail. */
  readonly notLive?: string;
}

/** What an answer shows that comes after its position: in a database, what was committed and has no position yet. */
export interface Ahead {
  /** Whether the answer shows a change that the journal tells after the position. */
  shows(change: Change): boolean;
}

/** A view whose changes a journal decides: a collection under filters, or one record. */
export interface DirectView extends Bookmark {
  /**
   * What the answer shows beyond its position. Who begins with it is not told that again, and has no position until the
   * journal has told all of it, which is so after the next `poll` [R-POS-3]. Default: nothing.
   */
  readonly ahead?: Ahead;
  /** The view's URL in canonical form (path, sorted parameters): equal views have equal URLs. */
  readonly url: string;
  /**
   * Whom the view is for, where the origin shows others something else at its URL: any text that is equal for those who are
   * shown the same. Its filter says so, too. Default: everybody who is shown it.
   */
  readonly scope?: string;
  /**
   * Whether who asks may have had another scope before, as a right that is given and taken does: then a position says
   * nothing of what was shown, and a subscription begins with the state [R-RES-2]. Default false.
   */
  readonly isScopeChanging?: boolean;
  /** The collection's path, as in {@link Change.collection}. */
  readonly collection: string;
  /** The record's URL where the view is one record. */
  readonly record?: string;
  /** Columns and the values that a record's image must have to be in the set; all of them. Values are never null. */
  readonly equals: readonly (readonly [column: string, value: Value])[];
  /**
   * What a record's image must meet beside {@link DirectView.equals}, by columns and values as images have them. Where an
   * image lacks one of the columns, the view is opened anew [R-SUB-5]. Default: nothing.
   */
  readonly filter?: Filter<string, Value>;
  /**
   * The columns that the answer's `Item-Order` names, and whether each is compared as bytes. A record that has bytes in
   * another of them, or anything else in one of bytes, has no place there: with it, the view is opened anew [R-FLD-5].
   * Default: every record has a place.
   */
  readonly order?: readonly (readonly [column: string, isBytes: boolean])[];
  /**
   * How many records more, and bytes of them, a GET's answer holds until it is cut. Once they are used up, the view is
   * opened anew [R-SUB-5]. Default: any amount.
   */
  readonly room?: { readonly rows: number; readonly bytes: number };
}

/**
 * What answers HTTP requests. The bookmark of an answer's view must not be later than its state: the position is read
 * first, or in the same read transaction.
 *
 * A HEAD answer authorises as a GET does and needs no body. A rejection is answered with 500, and told to `onError`.
 */
export type Origin = (request: OriginRequest) => Promise<OriginResponse>;
