import { type Field, fieldValue, type HttpResponse, mergePatchType } from "../../src/protocol/index.ts";
import { type Random, Replica } from "../../src/testing/index.ts";
import type { Asked, Row } from "./history.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Target } from "./views.ts";
import { plainRow, rowIn } from "./views.ts";

interface Saved {
  readonly position: string;
  readonly records: ReadonlyMap<string, string>;
}

/** How a subscription is asked for, and what the history has to know of it. */
export interface Wish {
  readonly fields: readonly Field[];
  readonly asked: Asked;
}

const keptStates = 6;

/** What a client keeps of a view from connection to connection. */
export class Followed {
  readonly target: Target;
  /** Whether it asks for deltas. */
  readonly takesDeltas: boolean;
  replica: Replica;
  /** False where nothing says what the records are: after `Last-Event-ID: *`. */
  hasState = false;
  #saved: Saved[] = [];
  /** The tag of the snapshot that the replica still is. */
  #etag: string | undefined;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings, target: Target, takesDeltas: boolean) {
    this.#surroundings = surroundings;
    this.takesDeltas = takesDeltas;
    this.target = target;
    this.replica = new Replica(target.view.url);
  }

  /**
   * The `Accept` that it asks with. Deltas are of use only to who has the state.
   *
   * @param fields - what it asks with beside that
   * @param isThere - whether it is subscribed to already
   */
  accept(fields: readonly Field[], isThere: boolean): Field {
    const isShown = !isThere && fieldValue(fields, "last-event-id") === undefined;
    const takesDeltas = this.takesDeltas && (this.hasState || isShown);
    return ["Accept", takesDeltas ? `application/json, ${mergePatchType}` : "application/json"];
  }

  /** A message with its record as a whole; `undefined` for a delta that does not fit. */
  wholeOf(message: HttpResponse): HttpResponse | undefined {
    return this.replica.wholeOf(message);
  }

  /** Takes a message of its subscription in. */
  take(message: HttpResponse): void {
    const { replica } = this;
    if (message.status === 200) this.hasState = true;
    if (!this.hasState) {
      replica.position = fieldValue(message.fields, "event-id") ?? replica.position;
      return;
    }
    const before = replica.position;
    replica.take(message);
    if (message.status === 200) this.#etag = fieldValue(message.fields, "etag");
    else if (message.status < 300) this.#etag = undefined;
    if (replica.position === undefined || replica.position === before) return;
    this.#saved.push({ position: replica.position, records: new Map(replica.records) });
    if (this.#saved.length > keptStates) this.#saved.shift();
  }

  /** The record is not there, or the server refused: nothing is held any more. */
  forget(): void {
    this.replica = new Replica(this.target.view.url);
    this.hasState = false;
    this.#saved = [];
    this.#etag = undefined;
  }

  /** Forgets what was not marked, and says how it goes on: mostly right, sometimes by some other way that is allowed. */
  wish(random: Random): Wish {
    this.replica.disconnected();
    if (this.replica.isGone) this.forget();
    const way = random.next();
    if (way < 0.55 && this.replica.position !== undefined) return this.#resume(this.replica.position, random);
    if (way < 0.67 && this.#saved.length > 0) return this.#resumeOld(random);
    if (way < 0.77) return this.#resume(this.#surroundings.nonsense(), random);
    if (way < 0.83) return this.#star();
    if (way < 0.93 && this.#etag !== undefined) {
      return {
        fields: [["If-None-Match", this.#etag]],
        asked: { ...Followed.asked(this.#surroundings), ...this.#held() },
      };
    }
    return { fields: [], asked: Followed.asked(this.#surroundings) };
  }

  /** How it goes on where there is no chance in it. */
  wishRight(): Wish {
    this.replica.disconnected();
    if (this.replica.isGone) this.forget();
    const { position } = this.replica;
    return position === undefined ? { fields: [], asked: Followed.asked(this.#surroundings) } : this.#resume(position);
  }

  #resumeOld(random: Random): Wish {
    const { position, records } = random.pick(this.#saved);
    this.replica.records = new Map(records);
    this.replica.position = position;
    this.#etag = undefined;
    return this.#resume(position);
  }

  #star(): Wish {
    this.forget();
    return { fields: [["Last-Event-ID", "*"]], asked: { ...Followed.asked(this.#surroundings), lastEventId: "*" } };
  }

  #resume(lastEventId: string, random?: Random): Wish {
    const isStrict = random?.chance(0.15) ?? false;
    const lastMark = this.#surroundings.mark(lastEventId);
    const asked: Asked = {
      ...Followed.asked(this.#surroundings),
      ...this.#held(),
      lastEventId,
      ...(lastMark ? { lastMark } : {}),
      isStrict,
      isKnown: this.#surroundings.isKnown(lastEventId),
    };
    const prefer: Field[] = isStrict ? [["Prefer", "handling=strict"]] : [];
    return { fields: [["Last-Event-ID", lastEventId], ...prefer], asked };
  }

  /** What is true of every wish. */
  static asked({ now, head, epoch }: Surroundings): Asked {
    return { at: now, head, epoch };
  }

  #held(): { held?: ReadonlyMap<string, Row> } {
    if (!this.hasState) return {};
    const isRecord = this.target.view.record !== undefined;
    const held = new Map<string, Row>();
    for (const [url, text] of this.replica.records) {
      const document: unknown = JSON.parse(text);
      held.set(url, isRecord ? rowIn(document) : plainRow(document));
    }
    return { held };
  }
}
