import type { Field } from "../../protocol/index.ts";
import type { OriginRequest } from "../ports/origin.ts";
import type { PeerIdentity, Viewer } from "../viewer.ts";
import { type Sharing, sharingOf } from "./sharing.ts";
import { type ViewerFacts, viewerFactsBy } from "./viewer-facts.ts";

/** What is judged with. */
export interface JudgeParts {
  /** What the app says of who may share: a name that equal viewers share. */
  readonly viewer: ((request: OriginRequest) => string | undefined) | undefined;
  /** Whether all who are anonymous may be given the same. */
  readonly sharesAnonymous: boolean;
  /** What is known of a peer at the transport. Must not throw. */
  readonly identityOf: (peer: unknown) => PeerIdentity;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** Says who a viewer is, and to whom an answer belongs that it was given. */
export class Judge {
  readonly #parts: JudgeParts;
  readonly factsOf: (viewer: Viewer) => ViewerFacts;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
    this.factsOf = viewerFactsBy(parts.identityOf);
  }

  /** Names who stands behind a viewer, for bounds. */
  ownerOf(viewer: Viewer): string {
    return this.factsOf(viewer).owner;
  }

  /** Names a viewer of a target. */
  keyOf(target: string, viewer: Viewer): string {
    return `${target} ${this.factsOf(viewer).key}`;
  }

  /** @param said - the fields of the answer */
  sharingOf(target: string, viewer: Viewer, said: readonly Field[]): Sharing {
    const { fields, peer } = viewer;
    const { isAnonymous, address } = this.factsOf(viewer);
    const request = {
      target,
      fields,
      viewerKey: this.keyOf(target, viewer),
      isAnonymous,
      address,
      viewer: this.#nameOf({ method: "GET", target, fields, body: "", peer }),
      sharesAnonymous: this.#parts.sharesAnonymous,
    };
    return sharingOf(request, said);
  }

  /** What the app's `viewer` says; nothing where that is no name. */
  #nameOf(request: OriginRequest): string | undefined {
    try {
      const name: unknown = this.#parts.viewer?.(request);
      return typeof name === "string" && name !== "" ? name : undefined;
    } catch (error) {
      this.#parts.reportError(error, "viewer");
      return undefined;
    }
  }
}
