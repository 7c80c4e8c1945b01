import { onTestFinished } from "vitest";
import { type RowFilter, type Rules, type Scaffold, where } from "../../../src/scaffold/index.ts";
import { createHub } from "../../../src/server/index.ts";
import { type Connect, connectTo } from "../postgres/leak-follower.ts";
import { secret } from "../tokens/issuer.ts";
import { type Granted, type RuleViewer, worldRules, worldSql } from "./rule-world.ts";
import { tokenOf } from "./rules-site.ts";
import { type Service, serve, type TestOptions } from "./service.ts";

/** What says who may see what: rules with the claims of tokens, or functions of an application. */
export type World = "rules" | "functions";

export const worlds: readonly World[] = ["rules", "functions"];

/** Two server processes, as far as a test has them, of one database. */
export interface LeakSite extends Service {
  readonly processes: readonly Connect[];
  /** What a viewer shows in `Authorization`, by what it is granted. */
  credentialsOf(viewer: RuleViewer, granted: Granted): Promise<string>;
  /** Grants a viewer something else. False where it has to come again with other credentials. */
  renew(viewer: RuleViewer, granted: Granted): boolean;
}

type Said = Granted & { readonly sub: string };

/** The same as the world's rules, as a function. */
function rows({ sub, teams, kind }: Said, table: string, action: string): RowFilter {
  const isAdmin = kind === "admin";
  if (action !== "read") return table === "notes" && where`owner=eq.${sub}`;
  switch (table) {
    case "notes":
      return where`or=(owner.eq.${sub},shared.is.true,team.in.(${teams}))`;
    case "teams":
      return where`members.who=eq.${sub}`;
    case "docs":
      return where`teams.members.who=eq.${sub}`;
    case "pages":
      return isAdmin || "team=lt.2";
    case "memos":
      return isAdmin || where`owner=eq.${sub}`;
    default:
      return undefined;
  }
}

/** What columns there are, functions don't say. */
const columnRules: Rules = Object.fromEntries(
  Object.entries(worldRules).map(([name, { columns }]) => {
    const open = { read: true, create: true, update: true, delete: true };
    return [name, columns ? { ...open, columns } : open];
  }),
);

/** What the application knows, in all its processes. */
class People {
  readonly #granted: Map<string, Said> = new Map();

  grant({ name }: RuleViewer, granted: Granted): void {
    this.#granted.set(name, { sub: name, ...granted });
  }

  readonly authorize: NonNullable<TestOptions["authorize"]> = async ({ headers }) => {
    const name = headers.get("authorization")?.slice("Bearer ".length) ?? "";
    const said = this.#granted.get(name);
    return said ? { ...said } : null;
  };
}

function connecting({ origin, journal, derived, revocations }: Scaffold, errors: unknown[]): Connect {
  const onError = (error: unknown): void => void errors.push(error);
  const hub = createHub({ origin, derived, onError, ...(journal && { journal }), ...(revocations && { revocations }) });
  onTestFinished(() => void hub.close(0));
  return connectTo(hub);
}

/** Serves the world until the test ends. */
export async function serveWorld(world: World): Promise<LeakSite> {
  const people = new People();
  const options: Record<World, TestOptions> = {
    rules: { tokens: { secret, anonymous: "read" }, rules: worldRules },
    functions: {
      authorize: people.authorize,
      rows: rows as unknown as NonNullable<TestOptions["rows"]>,
      rules: columnRules,
    },
  };
  const service = await serve(worldSql, options[world]);
  const scaffolds = [service.scaffold, await service.again()];
  // What the scaffold tells its operator (a machine that is busy) is no fault: followers see what is.
  const errors: unknown[] = [];
  return {
    ...service,
    errors,
    processes: scaffolds.map((scaffold) => connecting(scaffold, errors)),
    async credentialsOf(viewer, granted) {
      if (world === "rules") return (await tokenOf({ sub: viewer.name, ...granted })).Authorization ?? "";
      people.grant(viewer, granted);
      return `Bearer ${viewer.name}`;
    },
    renew(viewer, granted) {
      if (world === "rules") return false;
      people.grant(viewer, granted);
      for (const { rightsChanged } of scaffolds) rightsChanged(({ sub }) => sub === viewer.name);
      return true;
    },
  };
}
