import { isAnonymous, ownerOf, type PeerIdentity, type Viewer, viewerKeyOf } from "../viewer.ts";

/** What is known of a viewer, whatever it looks at. */
export interface ViewerFacts {
  /** Names the viewer. */
  readonly key: string;
  /** Names who stands behind it, for bounds. */
  readonly owner: string;
  readonly address: string | undefined;
  readonly isAnonymous: boolean;
}

/** Makes a function that works out the facts of a viewer, once for each. */
export function viewerFactsBy(identityOf: (peer: unknown) => PeerIdentity): (viewer: Viewer) => ViewerFacts {
  const known = new WeakMap<Viewer, ViewerFacts>();
  return (viewer) => {
    let facts = known.get(viewer);
    if (!facts) {
      const identity = identityOf(viewer.peer);
      const { fields } = viewer;
      const { address } = identity;
      const key = viewerKeyOf("", fields, identity);
      facts = { key, owner: ownerOf(fields, identity), address, isAnonymous: isAnonymous(fields, identity) };
      known.set(viewer, facts);
    }
    return facts;
  };
}
