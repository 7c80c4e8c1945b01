import { type Client, ConflictError, ProblemError } from "../../client/index.ts";
import { counted } from "../counted.ts";
import { button, copyText, element, fill } from "../dom.ts";
import { CellEditor } from "../edit/cell-editor.ts";
import { askConflict } from "../edit/conflict-dialog.ts";
import { CreateDialog } from "../edit/create-dialog.ts";
import { ask } from "../edit/dialog.ts";
import { type FindKeys, keyFinder } from "../edit/find-keys.ts";
import { Menu, type MenuItem } from "../edit/menu.ts";
import type { Place, Places } from "../place.ts";
import {
  conditionsIn,
  equalsIn,
  formatParameters,
  nextSorting,
  parameterOf,
  parseParameters,
  sortingIn,
  withSorting,
} from "../query-text.ts";
import { messageOf } from "../refusal.ts";
import { countRows } from "../rows/count-rows.ts";
import { type CellAt, Grid } from "../rows/grid.ts";
import { type Row, RowSource } from "../rows/row-source.ts";
import {
  type CollectionInfo,
  type Column,
  collectionAt,
  guessCollection,
  type Referrer,
  type Schema,
  selectedCollection,
} from "../schema.ts";
import type { Snippet } from "../snippets.ts";
import type { Announcer } from "./announcer.ts";
import { QueryBar } from "./query-bar.ts";

/** What the pane needs of the page. */
export interface RowsPaneParts {
  readonly client: Client;
  readonly places: Places;
  readonly announcer: Announcer;
  readonly snippets: (target: string) => Snippet[];
  /** Told of other rows, and whenever rows have changed. */
  readonly onRows: (source: RowSource) => void;
  /** Told of a refusal for want of a token. */
  readonly onSignedOut: (detail: string) => void;
}

const blocked =
  "No WebSocket comes through to the server, so the rows are looked at every 5 seconds. What stands in between, as a proxy, has to let " +
  "“Upgrade: websocket” pass. It is tried again and again.";

/** The rows of another collection that refer to a row. */
function referringPlace({ url, columns }: Referrer, row: Row): Place {
  const parameters = Object.entries(columns).map(([there, here]) => parameterOf(there, "eq", String(row[here])));
  return { view: "rows", path: url, query: formatParameters(parameters) };
}

/** The rows of one URL: filter, table, and all that can be done with them. */
export class RowsPane {
  readonly element: HTMLElement;
  readonly #parts: RowsPaneParts;
  readonly #grid: Grid;
  readonly #query: QueryBar;
  readonly #title: HTMLElement = element("h2", {});
  readonly #count: HTMLElement = element("p", { class: "count" });
  readonly #add: HTMLButtonElement;
  readonly #copy: HTMLButtonElement;
  readonly #said: HTMLElement = element("span", {});
  /** What keeps the rows from being live, where that may pass. */
  readonly #notice: HTMLElement = element(
    "p",
    { class: "notice", role: "status", hidden: true },
    this.#said,
    // The client asks at once where the network is said to be back.
    button("Look now", () => dispatchEvent(new Event("online"))),
  );
  readonly #empty: HTMLElement = element("p", { class: "empty", hidden: true });
  #source: RowSource | undefined;
  #info: CollectionInfo | undefined;
  /** What the schema says of it. */
  #known: CollectionInfo | undefined;
  #schema: Schema | undefined;
  #isGuess = false;
  #place: Place = { view: "rows", path: "", query: "" };
  #lastSignedOut = "";

  constructor(parts: RowsPaneParts) {
    this.#parts = parts;
    this.#grid = new Grid({
      sort: (column, adds) => this.#sort(column, adds),
      edit: (at) => this.#edit(at),
      menu: (row, anchor) => this.#menu(row, anchor),
      remove: (row) => void this.#remove(row),
      follow: ({ row, column }) => this.#follow(row, column),
    });
    this.#query = new QueryBar((query) => this.#go(query));
    this.#add = button("+ Row", () => this.#openCreate(), { class: "primary" });
    this.#copy = button("Copy as ▾", () => this.#openCopy(), { "aria-haspopup": "menu" });
    this.element = element(
      "section",
      { class: "rows", "aria-label": "Rows" },
      element(
        "div",
        { class: "rows-bar bar" },
        this.#title,
        this.#count,
        element("div", { class: "group" }, this.#copy, this.#add),
      ),
      this.#query.element,
      this.#notice,
      this.#empty,
      this.#grid.element,
    );
  }

  /** The rows that are shown. */
  get source(): RowSource | undefined {
    return this.#source;
  }

  /** Where they are from. */
  get info(): CollectionInfo | undefined {
    return this.#info;
  }

  /** Shows what a place names. */
  show(place: Place, schema: Schema | undefined): void {
    const known = schema && collectionAt(schema, place.path);
    const isSameUrl = place.path === this.#place.path && place.query === this.#place.query;
    this.#place = place;
    if (!isSameUrl || !this.#source) {
      this.#source?.close();
      this.#source = new RowSource(this.#parts.client, place.path, place.query);
      const source = this.#source;
      source.changed.on(() => source === this.#source && this.update());
      this.#lastSignedOut = "";
    }
    this.#schema = schema;
    this.#known = known;
    this.#isGuess = known === undefined || this.#select !== undefined;
    this.#info = this.#isGuess ? this.#guess([]) : known;
    this.#showInfo();
    this.update();
  }

  /** Looks at the rows again. */
  update(): void {
    const [source, info] = [this.#source, this.#info];
    if (!source || !info) return;
    if (this.#isGuess) this.#guessAgain(source, info);
    const { status, total, hasMore } = source;
    const isFiltered = conditionsIn(parseParameters(this.#place.query)).length > 0;
    const rows = counted(total, "row").replace(" ", hasMore ? "+ " : " ");
    fill(
      this.#count,
      status.problem
        ? ""
        : status.state === "connecting" && total === 0
          ? "…"
          : isFiltered
            ? `${rows} match${total === 1 ? "es" : ""}`
            : rows,
    );
    const { problem } = status;
    const isQuery = problem?.status === 400;
    this.#query.showTrouble(isQuery ? (problem.detail ?? problem.title ?? "") : "");
    const nothing = total === 0 && status.state === "live" ? (isFiltered ? "No row matches." : "No rows yet.") : "";
    const text = problem && !isQuery ? (problem.detail ?? problem.title ?? "") : nothing;
    this.#empty.hidden = text === "";
    fill(this.#empty, text);
    if (problem?.status === 401 && this.#lastSignedOut !== problem.detail) {
      this.#lastSignedOut = problem.detail ?? "";
      this.#parts.onSignedOut(problem.detail ?? "");
    }
    const { state, refusal } = status;
    const said = state === "polling" ? blocked : (refusal?.detail ?? "");
    this.#notice.hidden = said === "";
    if (this.#said.textContent !== said) fill(this.#said, said);
    this.#grid.update();
    this.#parts.onRows(source);
  }

  get #select(): string | undefined {
    return parseParameters(this.#place.query).find(([name]) => name === "select")?.[1];
  }

  #guess(rows: readonly Row[]): CollectionInfo {
    const { path } = this.#place;
    const select = this.#select;
    return select === undefined ? guessCollection(path, rows) : selectedCollection(this.#known, path, rows, select);
  }

  #guessAgain(source: RowSource, info: CollectionInfo): void {
    const rows = [...source.known()].map(([, row]) => row);
    if (rows.length === 0) return;
    const guessed = this.#guess(rows.slice(0, 100));
    const looks = ({ columns }: CollectionInfo): string => columns.map(({ name, kind }) => name + kind).join();
    if (looks(guessed) === looks(info)) return;
    this.#info = guessed;
    this.#showInfo();
  }

  #showInfo(): void {
    const [source, info] = [this.#source, this.#info];
    if (!source || !info) return;
    const { query } = this.#place;
    fill(this.#title, info.name);
    this.#add.hidden = !info.methods.collection.includes("POST");
    this.#query.show(this.#known ?? info, query);
    this.#grid.show(source, info, sortingIn(parseParameters(query)));
  }

  #go(query: string): void {
    this.#parts.places.go({ ...this.#place, query });
  }

  #sort(column: string, adds: boolean): void {
    const parameters = parseParameters(this.#place.query);
    this.#go(formatParameters(withSorting(parameters, nextSorting(sortingIn(parameters), column, adds))));
  }

  #may(method: string): boolean {
    return this.#info?.methods.record.includes(method) === true;
  }

  #edit(at: CellAt): void {
    // One that is to be put right goes first.
    if (document.querySelector(".editor")) return;
    const { row, column } = at;
    if (!column.may.includes("update") || this.#source?.urlOf(row) === undefined) {
      const { name, generated } = column;
      this.#parts.announcer.show(generated ? `${name} is computed by the database.` : "This can only be read.");
      return;
    }
    new CellEditor(
      at,
      this.#finderOf(column),
      (value) => this.#save(row, { [column.name]: value }, row),
      (error) => this.#fail(error),
    );
  }

  /** @throws what the client throws, but for a conflict */
  async #save(row: Row, values: Row, base: Row): Promise<void> {
    const [source, info] = [this.#source, this.#info];
    const url = source?.urlOf(row);
    if (!source || !info || url === undefined) return;
    try {
      await source.list.update(url, values, { base });
      this.#parts.announcer.say(`Saved ${Object.keys(values).join(", ")}`);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const { conflict } = error as ConflictError<Row>;
      const wanted = await askConflict(info, conflict, base);
      if (wanted && conflict.theirs) await this.#save(row, wanted, conflict.theirs);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof ProblemError && error.problem.status === 401) this.#parts.onSignedOut(error.message);
    this.#parts.announcer.show(messageOf(error), "trouble");
  }

  async #remove(row: Row): Promise<void> {
    const [source, info] = [this.#source, this.#info];
    const url = source?.urlOf(row);
    if (!source || !info || url === undefined || !this.#may("DELETE")) return;
    const names = new Set(info.referrers?.map(({ name }) => name));
    const warning =
      `Rows of ${[...names].join(", ")} may refer to it. ` +
      "They are deleted or changed with it, or keep it from being deleted. Undo does not bring them back.";
    const choices = [["Cancel", false] as const, ["Delete", true] as const];
    if (names.size > 0 && !(await ask(`Delete ${url}?`, [element("p", {}, warning)], choices))) return;
    const stored = info.columns.filter(({ generated }) => !generated);
    // A record with less than it had would not be the same.
    const mayCreate = info.unread.length === 0 && stored.every(({ may }) => may.includes("create"));
    const again = (): void => {
      const values = Object.fromEntries(stored.map(({ name }) => [name, row[name]]));
      this.#create(source, values).then(
        (show) => show(),
        (error: unknown) => this.#fail(error),
      );
    };
    try {
      await source.list.destroy(url);
      const undo = mayCreate ? { label: "Undo", run: again, isUndo: true } : undefined;
      this.#parts.announcer.show(`Deleted ${url}`, "done", undo);
    } catch (error) {
      const isConflict = error instanceof ProblemError && error.problem.status === 409;
      const reason = isConflict ? await this.#whoRefersTo(row, info) : "";
      if (reason === "") this.#fail(error);
      else this.#parts.announcer.show(`${url} was not deleted: ${reason} refer to it.`, "trouble");
    }
  }

  /** `2 rows of albums`, as far as the viewer may know. */
  async #whoRefersTo(row: Row, { referrers = [] }: CollectionInfo): Promise<string> {
    const found = referrers.map(async (one) => {
      const { path, query } = referringPlace(one, row);
      const count = await countRows(this.#parts.client, `${path}?${query}`);
      return typeof count === "number" && count > 0 ? [`${counted(count, "row")} of ${one.name}`] : [];
    });
    return (await Promise.all(found)).flat().join(", ");
  }

  #follow(row: Row, { name, references }: CellAt["column"]): void {
    const value = row[name];
    if (!references || value === null || value === undefined) return;
    const query = formatParameters([parameterOf(references.column, "eq", String(value))]);
    this.#parts.places.go({ view: "rows", path: references.url, query });
  }

  #menu(row: Row, anchor: HTMLElement): void {
    const url = this.#source?.urlOf(row);
    const { places } = this.#parts;
    const related: MenuItem[] = (this.#info?.referrers ?? []).map((one) => ({
      label: `${one.name} of this row`,
      action: () => places.go(referringPlace(one, row)),
    }));
    const items: MenuItem[] = [
      ...(related.length > 0 ? [{ label: "Related" }, ...related] : []),
      { label: "Row" },
      { label: "Copy as JSON", action: () => void copyText(JSON.stringify(row, undefined, 2)) },
      ...(url === undefined
        ? []
        : [{ label: "Copy URL", action: () => void copyText(new URL(url, location.origin).href) }]),
      ...(url === undefined || !this.#may("DELETE")
        ? []
        : [{ label: "Delete", action: () => void this.#remove(row), isDangerous: true }]),
    ];
    new Menu(anchor, "What to do with this row", items);
  }

  #openCreate(): void {
    const [source, info] = [this.#source, this.#info];
    if (!source || !info) return;
    new CreateDialog(
      info,
      (values) => this.#create(source, values),
      (column) => this.#finderOf(column),
      equalsIn(parseParameters(this.#place.query)),
    );
  }

  #finderOf(column: Column): FindKeys | undefined {
    return keyFinder(this.#parts.client, this.#schema, column);
  }

  /** Gives what shows the record. @throws what the client throws */
  async #create(source: RowSource, values: Row): Promise<() => void> {
    const url = await source.create(values);
    return () => {
      if (url === undefined) this.#parts.announcer.show("Created.");
      else void this.#showCreated(url);
    };
  }

  async #showCreated(url: string): Promise<void> {
    const { announcer, places } = this.#parts;
    announcer.say(`Created ${url}`);
    if (await this.#grid.reveal(url)) return;
    const run = (): void => places.go({ view: "rows", path: url, query: "" });
    announcer.show(`Created ${url}. It is not among the rows that are shown.`, "done", { label: "Show it", run });
  }

  #openCopy(): void {
    const { path, query } = this.#place;
    const snippets = this.#parts.snippets(query === "" ? path : `${path}?${query}`);
    const items = snippets.map(({ name, text }) => ({
      label: name,
      action: () => void copyText(text).then(() => this.#parts.announcer.show(`Copied: ${name}`)),
    }));
    new Menu(this.#copy, "Copy as", items);
  }
}
