import type { OriginResponse } from "../ports/origin.ts";
import type { DocumentPlace } from "./document.ts";
import type { Hold } from "./documents.ts";
import type { Sharing } from "./sharing.ts";

/** What a view begins with. */
export interface FirstLook {
  /** Its name among the views. */
  readonly key: string;
  readonly sharing: Sharing;
  readonly place: DocumentPlace;
  readonly first: OriginResponse;
  /** The moment at which that was asked for. */
  readonly askedAt: number;
  readonly hold: Hold;
  /** Whether the rows of its list have URLs that can be written to. */
  readonly hasUrls: boolean;
  /** The viewer whose documents its document is counted among; `""` where several share it. */
  readonly owner: string;
}
