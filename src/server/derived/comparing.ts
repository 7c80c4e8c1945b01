import type { OriginResponse } from "../ports/origin.ts";
import type { Verdict } from "./asking.ts";
import type { Member, Members } from "./members.ts";

/** How often a member that gets another document is compared anew: a write may fall between two GETs. */
const maxCompared = 3;

/** The view whose document is compared. */
interface ComparedView {
  readonly members: Members;
  renewed(): Promise<boolean>;
  hasShown(response: OriginResponse, askedAt: number): boolean;
}

/** Has everyone who follows as a member begin anew. */
export function reopenAll({ followers }: Member): void {
  for (const follower of [...followers]) follower.reopen();
}

/**
 * Has a member leave that is given another document than the view shows, before and after that was asked for.
 *
 * @param ask - asks as the member once more; must not reject
 * @param stays - called where the view shows what the member is given
 */
export async function compare(
  view: ComparedView,
  first: Verdict,
  ask: (member: Member) => Promise<Verdict>,
  stays: (member: Member) => void,
): Promise<void> {
  let verdict = first;
  for (let compared = 0; verdict.kind === "other"; compared += 1) {
    const { member, response, askedAt } = verdict;
    const isRenewed = await view.renewed();
    if (!view.members.has(member)) return;
    if (view.hasShown(response, askedAt)) {
      stays(member);
      return;
    }
    if (!isRenewed || compared + 1 >= maxCompared) {
      reopenAll(member);
      return;
    }
    verdict = await ask(member);
  }
}
