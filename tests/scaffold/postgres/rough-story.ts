import type { Bookmark } from "../../../src/server/index.ts";
import type { TestServer } from "./server.ts";
import type { Patch } from "./story.ts";
import { ask, newSite, type Site, type Watched, watch } from "./workspace.ts";

/** What may happen to a database beside writes. */
export type Chapter = "trim" | "foreign writer" | "older copy" | "crash" | "copy";

const sql = `CREATE TABLE artists (id int PRIMARY KEY, name text)`;
const keptChanges = 4;

/** A course of what is done to a database by those who run it. Finds out what goes wrong with its journal then. */
export class RoughStory {
  readonly violations: string[] = [];
  readonly #server: TestServer;
  readonly #site: Site;
  readonly #watched: Watched;
  #ids = 0;

  private constructor(server: TestServer, site: Site, watched: Watched) {
    this.#server = server;
    this.#site = site;
    this.#watched = watched;
  }

  /** Tells one chapter in a database of its own. Gives what went wrong. The server needs `wal_writer_delay=10s`. */
  static async tell(server: TestServer, chapter: Chapter, patch: Patch): Promise<string[]> {
    const site = await newSite(server, sql);
    await site.client.query(`ALTER DATABASE ${site.database} SET synchronous_commit = off`);
    const story = new RoughStory(server, site, await watch(site));
    await patch(site.client);
    await story.#tell(chapter);
    return story.violations;
  }

  async #tell(chapter: Chapter): Promise<void> {
    const chapters: Readonly<Record<Chapter, () => Promise<void>>> = {
      trim: () => this.#trim(),
      "foreign writer": () => this.#writeAsAnother(),
      "older copy": () => this.#goBack(),
      crash: () => this.#crash(),
      copy: () => this.#copy(),
    };
    try {
      await chapters[chapter]();
    } catch (error) {
      this.violations.push(`the story broke off: ${error}`);
    }
  }

  /** One write by a session of its own, of which all were told. */
  async #write(count = 1, user?: string): Promise<Bookmark> {
    const client = await this.#server.connectWriter(this.#site.database, user);
    try {
      for (let left = count; left > 0; left -= 1)
        await client.query(`INSERT INTO artists VALUES (${++this.#ids}, 'x')`);
    } finally {
      await client.end();
    }
    await this.#watched.journal.poll();
    return this.#watched.journal.head;
  }

  async #require(journal: Watched["journal"], { eventId, position }: Bookmark, what: string): Promise<void> {
    const found = await journal.locate(eventId);
    if (found !== position) this.violations.push(`${what} is not known any more`);
  }

  async #trim(): Promise<void> {
    const { journal } = this.#watched;
    const head = await this.#write(3 * keptChanges);
    await ask(this.#site, `SELECT rocket.trim(${keptChanges}, 1000000, NULL, 1000)`);
    const page = await journal.read(head.position - 2 * keptChanges, 100);
    if (page?.changes.length !== keptChanges) this.violations.push("more was trimmed than is to be");
    if (await journal.read(0, 100)) this.violations.push("nothing was trimmed");
    await ask(this.#site, "SELECT rocket.trim(1, 1, interval '0', 1000)");
    await this.#require(journal, head, "the last position");
  }

  /** A role that has rights on the table only. */
  async #writeAsAnother(): Promise<void> {
    const role = `clerk_${this.#site.database}`;
    await this.#site.client.query(`CREATE ROLE ${role} LOGIN; GRANT INSERT ON artists TO ${role}`);
    await this.#write(1, role);
    const told = await this.#watched.news();
    if (told.length !== 1) this.violations.push("what another role wrote was not told");
  }

  /** The database is put back to what it was, in place, and grows again: only checks tell. */
  async #goBack(): Promise<void> {
    const { client } = this.#site;
    const { journal, news } = this.#watched;
    const kept = await this.#write();
    await client.query("CREATE TABLE kept AS SELECT * FROM rocket.state");
    const lost = await this.#write();
    await news();
    await client.query(`DELETE FROM rocket.journal WHERE position > ${kept.position};
      UPDATE rocket.state s SET position = k.position, chk = k.chk, total = k.total FROM kept k;
      INSERT INTO artists VALUES (100, 'y'), (101, 'y')`);
    const other = await watch(this.#site);
    if ((await other.journal.locate(lost.eventId)) !== undefined) this.violations.push("a lost position is known");
    await this.#require(other.journal, kept, "a position from before");
    const said = await news();
    if (said[0] !== "lost") this.violations.push(`an older copy was followed on: ${said}`);
    if (journal.segment === kept.eventId.split(":")[0]) this.violations.push("it goes on in the former segment");
  }

  /** What was told was committed, whatever the writers' settings are. */
  async #crash(): Promise<void> {
    const told = await this.#write();
    await this.#server.crash();
    await this.#server.start();
    const again = await watch({ ...this.#site, client: await this.#server.connect(this.#site.database) });
    await this.#require(again.journal, told, "what was told before the crash");
  }

  async #copy(): Promise<void> {
    const { journal, pool } = this.#watched;
    const told = await this.#write();
    await journal.close();
    await this.#site.client.end();
    await pool.close();
    const database = await this.#server.database(this.#site.database);
    const copy = await watch({ ...this.#site, database });
    if ((await copy.journal.locate(told.eventId)) !== undefined)
      this.violations.push("a copy goes on in its origin's history");
  }
}
