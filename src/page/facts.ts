/** What the server says to the page of itself. */
export interface Facts {
  /** What stands before all paths: nothing, or `/api`. */
  readonly base: string;
  /** Whether the page is at the URLs of the API itself, or at a URL of its own, where the path is behind a `#`. */
  readonly place: "api" | "inspector";
  /** What is served: `music.db`. */
  readonly name?: string;
  /** How SQL is run from a shell: `sqlite3 music.db`. */
  readonly shell?: string;
  /** Whether the server keeps accounts. */
  readonly hasAccounts?: boolean;
  /** Whether the server tells who follows what. */
  readonly hasState?: boolean;
  /** How Rocket's command is called: `npx rocket`. */
  readonly command: string;
}

/** Reads what the server has written into the page. */
export function readFacts(): Facts {
  const text = document.querySelector('meta[name="rocket"]')?.getAttribute("content") ?? "";
  const given = text === "" ? {} : (JSON.parse(text) as Partial<Facts>);
  return { base: "", place: "api", command: "npx rocket", ...given };
}
