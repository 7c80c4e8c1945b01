import { Denied } from "../../engine/denied.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unauthorized } from "../../rest/refusal.ts";
import type { Keeping, Portion, Row, Session, Text, TransactionSession } from "../driver.ts";
import { isDenied } from "../sql-state.ts";
import { failedOf, RoleFailure } from "./failure.ts";
import { introduce, putOff, resetSession, takeOn } from "./viewer-settings.ts";

/** Thrown where a session is asked something after it was sealed. */
class Sealed extends Error {}

/** Longer names are cut by PostgreSQL, and would be another role's. */
const maxRoleBytes = 63;

/** Whether a role can be of that name. `none` would be the connection's own one. */
function canBeRole(name: string): boolean {
  return name !== "" && name !== "none" && !name.includes("\0") && Buffer.byteLength(name) <= maxRoleBytes;
}

/** What a failure to take a role on is to the peer. */
function roleFailure(error: unknown): unknown {
  if (isDenied(error)) return new RoleFailure(error);
  return failedOf(error)?.code === "22023" ? noSuchRole() : error;
}

function noSuchRole(): Error {
  return unauthorized("The database has no role of the name that the token gives.", "invalid_token");
}

/**
 * A session in a transaction, whose statements run as a viewer; those of {@link ViewerSession.own} run as the connection's
 * own role. It begins as the connection's own.
 */
export class ViewerSession implements TransactionSession {
  readonly #session: TransactionSession;
  readonly #viewer: Viewer;
  #isViewer = false;
  #isIntroduced = false;
  #isSealed = false;
  #hasAsked = false;
  /** What runs as the connection's own role. */
  readonly own: Session;

  constructor(session: TransactionSession, viewer: Viewer) {
    this.#session = session;
    this.#viewer = viewer;
    this.own = {
      query: async (sql, parameters, keeping) => {
        await this.putOff();
        this.#requireOpen();
        return session.query(sql, parameters, keeping);
      },
      script: async (sql) => {
        await this.putOff();
        this.#requireOpen();
        return session.script(sql);
      },
    };
  }

  /** Nothing more is asked: what comes is refused with {@link Sealed}. */
  seal(): void {
    this.#isSealed = true;
  }

  /** Whether it was asked anything. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  #requireOpen(): void {
    if (this.#isSealed) throw new Sealed();
    this.#hasAsked = true;
  }

  query(sql: string, parameters?: readonly unknown[], keeping?: Keeping): Promise<Row[]> {
    return this.#asViewer(() => this.#session.query(sql, parameters, keeping));
  }

  script(sql: string): Promise<Row[]> {
    return this.#asViewer(() => this.#session.script(sql));
  }

  portion(sql: string, parameters: readonly Text[], count: number, keeping?: Keeping): Promise<Portion> {
    return this.#asViewer(() => this.#session.portion(sql, parameters, count, keeping));
  }

  /** Tells the database about the request, in one message with the next statement, where the viewer has no role that does. */
  introduce(): void {
    const { role, request } = this.#viewer;
    if (this.#isIntroduced || role !== undefined || !request) return;
    this.#isIntroduced = true;
    const { text, values } = introduce(this.#viewer);
    // Where it fails, that statement does, too.
    this.#session.query(text, values, "keep").catch(() => undefined);
  }

  /** Undoes the write, so that more can be asked after a statement has failed: as that, nobody's role is put off before. */
  async undo(): Promise<void> {
    this.#requireOpen();
    await this.#session.script("ROLLBACK TO rocket_write");
  }

  /** From now on nothing of the viewer is left in the session, whatever becomes of the transaction. */
  async putOff(): Promise<void> {
    if (!this.#isViewer) return;
    await this.#session.script(putOff);
    this.#isViewer = false;
  }

  /**
   * As `putOff`, once the viewer has done everything: what its functions have set for the whole session goes, too.
   *
   * @param settings - the statements that set what is the transaction's own
   */
  async leave(settings: string): Promise<void> {
    if (this.#viewer.role === undefined) return;
    await this.#session.script(`${resetSession}; ${putOff}; ${settings}`);
    this.#isViewer = false;
  }

  /** @throws Denied where the viewer may not do that */
  async #asViewer<Given>(run: () => Promise<Given>): Promise<Given> {
    const { role } = this.#viewer;
    this.#requireOpen();
    if (role === undefined) return run();
    if (!canBeRole(role)) throw noSuchRole();
    // In one message with the statement, which is not carried out where the role is not taken on.
    const taking = this.#isViewer ? undefined : this.#takeOn(role);
    const running = run();
    running.catch(() => undefined);
    await taking;
    try {
      return await running;
    } catch (error) {
      throw isDenied(error) ? new Denied(error) : error;
    }
  }

  async #takeOn(role: string): Promise<void> {
    const { text, values } = takeOn(role, this.#viewer);
    this.#isViewer = true;
    try {
      await this.#session.query(text, values);
    } catch (error) {
      this.#isViewer = false;
      throw roleFailure(error);
    }
  }
}
