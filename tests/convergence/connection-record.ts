import type { ConnectionHistory } from "./history.ts";
import type { Peer } from "./surroundings.ts";

/** A connection while it is recorded. */
export class ConnectionRecord implements ConnectionHistory {
  readonly name: string;
  readonly level: 0 | 1;
  readonly signs: number[] = [];
  readonly strays: string[] = [];
  readonly openedAt: number;
  readonly graceMs: number;
  isSteady = true;
  /** How many changes were told by deltas. */
  deltas = 0;
  endedAt = 0;
  peakUnsentBytes = 0;
  largestSnapshotBytes = 0;
  closeCode?: number;

  constructor(name: string, level: 0 | 1, openedAt: number, graceMs = 0) {
    this.name = name;
    this.level = level;
    this.openedAt = openedAt;
    this.graceMs = graceMs;
  }

  /** Closes the record. */
  end(at: number, peer: Peer | undefined): this {
    this.endedAt = at;
    this.peakUnsentBytes = peer?.peakUnreadBytes ?? 0;
    if (peer?.closing) this.closeCode = peer.closing.code;
    if (this.signs.length === 0) this.isSteady = false;
    return this;
  }
}
