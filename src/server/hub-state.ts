/** A subscription, as its server's operator sees it. */
export interface SubscriptionSight {
  /** What was asked for, as it was asked. */
  readonly url: string;
  /** `opening`, `behind`, `held`, `live` or `ended`. */
  readonly state: string;
}

/** A connection, as its server's operator sees it. */
export interface ConnectionSight {
  readonly level: 0 | 1;
  /** Where its peer is, where that is known. */
  readonly address: string | undefined;
  /** What waits for the peer to take it. */
  readonly unsentBytes: number;
  /** Whether it reads more slowly than it is told: what is new is told later, and as less. */
  readonly isSlow: boolean;
  readonly subscriptions: readonly SubscriptionSight[];
}

/** What was learnt of a derived view's document, as its server's operator sees it. */
export interface DocumentSight {
  /** Where writes have it asked for again: at these paths, above and below them. */
  readonly staleAt: readonly string[];
  /** Who is given it: who sent the one request, its viewer, or all of whom the application declares that they are given the same. */
  readonly givenTo: "request" | "viewer" | "declared";
  /** Its characters, where it is a text, else its bytes. */
  readonly length: number;
  /** What its list's rows are; absent where the document is one record. */
  readonly rows?:
    | {
        readonly count: number;
        /** What tells their URLs: the answer's `Items`, the `records` option, a link or a key in each; `none` where nothing does. */
        readonly urls: "answer" | "option" | "link" | "key" | "none";
        /** False where some have no URL by that: with them, the whole list is sent when one changes. */
        readonly areAllNamed: boolean;
      }
    | undefined;
}

/** A view, as its server's operator sees it. */
export interface ViewSight {
  /** Its URL, in canonical form. */
  readonly url: string;
  /** Whether a journal decides what is new in it, or it is asked for again. */
  readonly kind: "direct" | "derived";
  readonly followers: number;
  /** Of a derived view: how often it was asked for since it stands, and how often something said that it may have changed. */
  readonly asked?: { readonly gets: number; readonly writes: number };
  /** Of a derived view: where its records are, as was said or learnt. */
  readonly items?: string | undefined;
  /** Of a derived view: what was learnt of its document. */
  readonly document?: DocumentSight;
}

/** The changes of a collection that the server has seen since it started, as its operator sees them. */
export interface CollectionSight {
  /** The collection's path: `/artists`. */
  readonly url: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** How often all of it was told anew, as its schema was rebuilt, say. */
  readonly resets: number;
}

/** Who follows what, and what that takes: for operators, and for nobody else. */
export interface HubState {
  readonly connections: readonly ConnectionSight[];
  readonly views: readonly ViewSight[];
  /** The collections in which the journal has told of changes. */
  readonly collections: readonly CollectionSight[];
  /** Bytes that are held for all peers together, and their bound. */
  readonly heldBytes: number;
  readonly maxHeldBytes: number;
}
