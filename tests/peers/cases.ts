import type { Certificate } from "../node/attach/certificates.ts";
import type { Conversation, OpenOptions } from "./conversation.ts";
import { inBandCases } from "./in-band-cases.ts";
import { levelZeroCases } from "./level-zero-cases.ts";
import type { Ability, PeerKind } from "./peer.ts";
import type { Place, PlaceKind } from "./places.ts";
import { viewCases } from "./view-cases.ts";

/** What a case is given. */
export interface Scene {
  readonly peer: PeerKind;
  readonly place: Place;
  /** Has the peer open a path of the place, along the line. */
  open(path: string, options?: OpenOptions): Conversation;
}

/** Something that has to hold between every peer that can do it and every place of a kind. */
export interface PeerCase {
  /** A sentence whose subject is the peer, with the requirements in square brackets. */
  readonly title: string;
  /** What a peer must be able to do. */
  readonly needs: readonly Ability[];
  /** Where it is run. Default: `serve` alone. */
  readonly at?: readonly PlaceKind[];
  /** How its place is started, where another way is needed than its kind's. */
  start?(tls: Certificate | undefined): Promise<Place>;
  run(scene: Scene): Promise<void>;
}

/** The one list of cases. */
export const peerCases: readonly PeerCase[] = [...levelZeroCases, ...viewCases, ...inBandCases];
