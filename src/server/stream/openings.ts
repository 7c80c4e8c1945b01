import { createProblem, problemResponse } from "../../protocol/index.ts";
import type { Outlet } from "../delivery/outlet.ts";
import type { Authoriser } from "./authorise.ts";
import { type FairTurns, newcomer, type TurnTaker } from "./fair-turns.ts";
import type { Opening, OpeningRequest, OpeningWishes } from "./opening.ts";

/** Who opens subscriptions: a connection. */
export type Opener = Outlet & TurnTaker;

/** Runs openings in turns: each connection's, and those that are no connection yet. */
export class Openings {
  readonly #authoriser: Authoriser;
  readonly #turns: FairTurns;

  constructor(authoriser: Authoriser, turns: FairTurns) {
    this.#authoriser = authoriser;
    this.#turns = turns;
  }

  /** Asks for what somebody may follow who has no connection yet. Never rejects. @param otherwise - where it can't be asked */
  async ofNewcomer(
    request: OpeningRequest,
    wishes: OpeningWishes,
    address: string | undefined,
    otherwise: string,
  ): Promise<Opening> {
    const opening = await this.#turns.run(newcomer(address), () => this.#authoriser.authorise(request, wishes));
    return opening ?? { kind: "refused", response: problemResponse(createProblem(503, otherwise)) };
  }

  /** A moment for {@link Openings.run}: answers from before it would take a subscription back. */
  moment(): number {
    return this.#authoriser.moment();
  }

  /**
   * Runs an opening in its connection's turn, when there is room for what it brings: the state is read when it can be
   * sent, and no snapshot waits for a peer that does not read. What is unsent never is more than the bound and one
   * document [R-SUB-12].
   *
   * @param begin - called at once with what became of it, unless the connection is closed by then
   * @param since - the moment from which on an answer to somebody who asked the same will do, too
   */
  async run(
    opener: Opener,
    request: OpeningRequest,
    wishes: OpeningWishes,
    begin: (opening: Opening) => void,
    since?: number,
  ): Promise<void> {
    const isOver = async (): Promise<boolean> => {
      const opening = await this.#authoriser.authorise(request, wishes, since);
      if (opener.isClosed) return true;
      const needsRoom = opening.kind === "accepted" && opening.status === 200;
      // Others were opened meanwhile. Nothing may come between this look and the message, or both would take the room.
      if (needsRoom && opener.isCongested) return false;
      begin(opening);
      return true;
    };
    while ((await this.#turns.run(opener, isOver)) === false);
  }
}
