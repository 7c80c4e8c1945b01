import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page, Route } from "playwright-core";
import { expect } from "vitest";
import { type Command, serve } from "../cli/command.ts";
import { runSql, temporaryFolder } from "../cli/database.ts";

declare global {
  /** What the page of notes.html offers to tests. */
  var note: (text: string) => void;
  var failures: readonly string[];
}

const page = fileURLToPath(new URL("notes.html", import.meta.url));
const dist = fileURLToPath(new URL("../../dist", import.meta.url));

/** A database of notes, served beside a page that shows them with the built client. */
export class NotesSite {
  readonly database: string;
  readonly #folder: string;
  #command: Command | undefined;
  url = "";

  private constructor() {
    const folder = temporaryFolder();
    this.database = join(folder, "notes.db");
    this.#folder = join(folder, "public");
    mkdirSync(join(this.#folder, "rocket"), { recursive: true });
    cpSync(page, join(this.#folder, "index.html"));
    for (const layer of ["client", "filter", "protocol"])
      cpSync(join(dist, layer), join(this.#folder, "rocket", layer), { recursive: true });
    runSql(
      this.database,
      "PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);",
    );
  }

  static async start(): Promise<NotesSite> {
    const site = new NotesSite();
    await site.restart();
    return site;
  }

  /** Kills the server as a power cut would. */
  async kill(): Promise<void> {
    this.#command?.process.kill("SIGKILL");
    await this.#command?.result;
  }

  /** Starts the server, on the port that it had before. */
  async restart(): Promise<void> {
    const port = new URL(this.url || "http://127.0.0.1:0").port || "0";
    const { command, url } = await serve(this.database, "--port", port, "--public", this.#folder);
    this.#command = command;
    this.url = url;
  }

  /** Opens the page, and waits until it is live and has all of the client: a browser asks for no module a second time. */
  async open(context: BrowserContext, page?: Page): Promise<Page> {
    const opened = page ?? (await context.newPage());
    await opened.goto(this.url);
    await hasStatus(opened, "live");
    await opened.waitForLoadState("networkidle");
    return opened;
  }

  /** What the database has. */
  async texts(): Promise<string[]> {
    const response = await fetch(`${this.url}/notes?order=id`);
    const { notes } = (await response.json()) as { readonly notes: readonly { readonly text: string }[] };
    return notes.map(({ text }) => text);
  }

  /** Writes a note as another program does. */
  async write(text: string): Promise<void> {
    const headers = { "Content-Type": "application/json" };
    const { status } = await fetch(`${this.url}/notes`, { method: "POST", headers, body: JSON.stringify({ text }) });
    expect(status).toBe(201);
  }
}

/** Writes a note in the page. */
export async function write(page: Page, ...texts: readonly string[]): Promise<void> {
  await page.evaluate((all) => {
    for (const text of all) globalThis.note(text);
  }, texts);
}

/** Waits until the page's view is in a state. */
export async function hasStatus(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-status="${state}"]`).waitFor({ state: "attached" });
}

/** Waits until the page shows these notes and no others, in this order, those that wait with a question mark. */
export async function shows(page: Page, ...texts: readonly string[]): Promise<void> {
  const shown = async () => {
    const items = await page.locator("li").evaluateAll((all) => all.map((one) => [one.textContent, one.className]));
    return items.map(([text, name]) => `${text}${name === "pending" ? "?" : ""}`);
  };
  await expect.poll(shown, { timeout: 15_000, interval: 20 }).toEqual(texts);
}

/** The way between a context's pages and the site's API, which a test can close. The page itself is always served. */
export interface Network {
  /** How the way is closed; `undefined` while it is open. */
  closed: ((route: Route) => unknown) | undefined;
}

/** Puts itself between the pages of a context and the API. */
export async function interceptApi(context: BrowserContext): Promise<Network> {
  const network: Network = { closed: undefined };
  await context.routeWebSocket(/./, (socket) => {
    if (network.closed) void socket.close();
    else socket.connectToServer();
  });
  await context.route(/\/(notes|\.well-known)/, (route) => (network.closed ?? goOn)(route));
  return network;
}

const goOn = (route: Route): Promise<void> => route.continue();
