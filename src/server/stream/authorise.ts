import { createProblem, type Field, fieldValue, problemResponse } from "../../protocol/index.ts";
import { type ByteBudget, smallBytes } from "../byte-budget.ts";
import type { Start } from "../delivery/following.ts";
import { startDerived } from "../derived/derived-following.ts";
import type { Admission, DerivedViews } from "../derived/derived-views.ts";
import { startDirect } from "../direct/direct-following.ts";
import type { DirectStream } from "../direct/direct-stream.ts";
import { isDocument, isLater, isSuccess, passedFields, refusalOf } from "../origin-answer.ts";
import type { OriginAsker } from "../origin-asker.ts";
import type { Ahead, OriginResponse } from "../ports/origin.ts";
import type { Viewer } from "../viewer.ts";
import type { Doubts } from "./doubts.ts";
import {
  type Opening,
  type OpeningRequest,
  type OpeningWishes,
  openingMessage,
  type RefusedOpening,
} from "./opening.ts";

const isFull = problemResponse(
  createProblem(503, "The server holds as much for its peers as it may. Try again later."),
  [["Retry-After", "5"]],
);

const isBusy = problemResponse(createProblem(503, "The journal can't be read just now."), [["Retry-After", "1"]]);

const isDoubtful = problemResponse(
  createProblem(503, "What may be followed here is changing. Try again in a moment."),
  [["Retry-After", "1"]],
);

/** So often is asked where rights become others meanwhile. */
const maxAttempts = 3;

type Ask = (method: string) => Promise<OriginResponse>;

/** An answer that no journal follows. */
interface OtherAnswer {
  readonly kind: "other";
  readonly response: OriginResponse;
  readonly isHead: boolean;
}

/** What openings are authorised with. */
export interface AuthoriserParts {
  readonly asker: OriginAsker;
  readonly held: ByteBudget;
  readonly direct: DirectStream | undefined;
  readonly derived: DerivedViews | undefined;
  readonly doubts: Doubts;
  readonly reportError: (error: unknown, stage: string) => void;
}

function refused(response: OriginResponse): RefusedOpening {
  return { kind: "refused", response };
}

/** The half of an opening that changes nothing: the request that authorises it, and what it may begin with. */
export class Authoriser {
  readonly #parts: AuthoriserParts;

  constructor(parts: AuthoriserParts) {
    this.#parts = parts;
  }

  /** A moment that no shared answer so far is from. */
  moment(): number {
    return this.#parts.asker.shared.moment();
  }

  /**
   * Runs the GET (or, where no state is sent, the HEAD) that authorises a subscription and gives its start. Never rejects.
   *
   * @param since - the moment from which on an answer to somebody who asked the same will do, too
   */
  async authorise(request: OpeningRequest, wishes: OpeningWishes, since?: number): Promise<Opening> {
    const opening = await this.#undoubted(request, wishes, since);
    const hasRoom = !this.#parts.held.isFull || opening.kind === "refused" || opening.body.length <= smallBytes;
    // Who follows already is not sent away for it.
    return hasRoom || since !== undefined ? opening : refused(isFull);
  }

  /** What was asked for before rights became others is not shown after that. */
  async #undoubted(request: OpeningRequest, wishes: OpeningWishes, since: number | undefined): Promise<Opening> {
    const { doubts } = this.#parts;
    let from = since;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const right = doubts.enter(request.fields);
      const opening = await this.#authorise(request, wishes, from);
      if (opening.kind === "refused" || right.isDoubted) doubts.leave(right);
      if (!right.isDoubted) return opening.kind === "refused" ? opening : { ...opening, right };
      from = since === undefined ? undefined : this.moment();
    }
    return refused(isDoubtful);
  }

  async #authorise(request: OpeningRequest, wishes: OpeningWishes, since: number | undefined): Promise<Opening> {
    const { derived, reportError } = this.#parts;
    const { target, fields, peer } = request;
    const viewer: Viewer = { fields, peer };
    const writes = derived?.remember(target);
    const ask = this.#askAs(viewer, target, since, () => writes?.ask());
    try {
      const opening = await this.#openDirect(ask, wishes);
      if (opening.kind === "refused" && !isLater(opening.response.status)) derived?.refused(target, viewer);
      if (opening.kind !== "other") return opening;
      const response = opening.isHead ? await ask("GET") : opening.response;
      const canDerive = isDocument(response) && response.notLive === undefined;
      if (!derived || !writes || !canDerive) return refused(refusalOf(response));
      const admission = await derived.admit(response.url ?? target, viewer, response, writes);
      return "status" in admission ? refused(admission) : openDerived(derived, admission, wishes);
    } catch (error) {
      reportError(error, "open");
      return refused(isBusy);
    } finally {
      if (writes) derived?.forget(writes);
    }
  }

  /** @param onAsk - called before each question that is this viewer's alone */
  #askAs(viewer: Viewer, target: string, since: number | undefined, onAsk: () => void): Ask {
    const { asker, direct } = this.#parts;
    const askAlone: Ask = (method) => {
      onAsk();
      return asker.ask(method, target, viewer.fields, viewer);
    };
    return async (method) => {
      if (since === undefined || !direct) return askAlone(method);
      const response = await asker.askShared(method, target, viewer, since);
      // What no journal follows may be for one request alone.
      const isForAll = response.view !== undefined || !isSuccess(response);
      return isForAll ? response : askAlone(method);
    };
  }

  async #openDirect(ask: Ask, wishes: OpeningWishes): Promise<Opening | OtherAnswer> {
    const { direct } = this.#parts;
    const epoch = direct?.epoch ?? 0;
    const { lastEventId } = wishes;
    const isResume = lastEventId !== undefined && lastEventId !== "*";
    const located = isResume ? await direct?.journal.locate(lastEventId) : undefined;
    const isUnknown = !direct || (located === undefined && lastEventId !== "*");
    const first = await ask(isUnknown ? "GET" : "HEAD");
    const needsState = isUnknown || (isResume && first.view?.isScopeChanging === true);
    const response = needsState && !isUnknown ? await ask("GET") : first;
    const { view } = response;
    if (!isSuccess(response)) return refused(refusalOf(response));
    if (!view || !direct) return { kind: "other", response, isHead: !needsState };
    const start = (cursor: number, ahead?: Ahead): Start => startDirect(direct, { view, cursor, ahead, epoch });
    if (!needsState) {
      const eventId = located === undefined ? view.eventId : (lastEventId ?? "");
      const fields: readonly Field[] = [["Event-ID", eventId]];
      const resumed = { kind: "accepted", status: 304, fields, body: "" } as const;
      const { fields: described } = response;
      return { ...resumed, start: start(located ?? view.position), source: response, described };
    }
    const etag = fieldValue(response.fields, "etag");
    // Who went on from there would be told again what the state shows beyond.
    const eventId = view.ahead ? undefined : view.eventId;
    const state = { fields: passedFields(response.fields, eventId), body: response.body };
    const message = openingMessage(wishes, eventId, etag, state);
    if (message.kind === "refused") return { ...message, lost: view.url };
    return { ...message, start: start(view.position, view.ahead), source: response, described: state.fields };
  }
}

/** The opening of a derived view: its position is its document's, so a resume is exact or begins anew [R-DER-8]. */
function openDerived(derived: DerivedViews, admission: Admission, wishes: OpeningWishes): Opening {
  const source = admission.view.standing;
  const { eventId, etag, document } = source;
  const start = startDerived(derived, admission, eventId);
  const position: Field = ["Event-ID", eventId];
  if (wishes.lastEventId === eventId || wishes.lastEventId === "*") {
    return { kind: "accepted", start, status: 304, fields: [position], body: "", source, described: source.fields };
  }
  const state = { fields: [...source.fields, position], body: document.body };
  const message = openingMessage(wishes, eventId, etag, state);
  if (message.kind === "refused") return { ...message, lost: start.url };
  return { ...message, start, source, described: source.fields };
}
