/** What the page is told of what it is a page of. */
export interface PageFacts {
  /** What it calls what is served: `music.db`. Default: the host. Told only where nobody but this machine reaches the server, to who asks by a loopback name and not through a proxy, and as {@link PageFacts.tellsState} says. */
  readonly name?: string;
  /** How SQL is run from a shell: `sqlite3 music.db`. Default: nothing. Told as {@link PageFacts.name} is. */
  readonly shell?: string;
  /** Whether people sign in at `/auth/sign-in`. Told to everybody. Default false. */
  readonly hasAccounts?: boolean;
  /** How Rocket's command is called. Default `npx rocket`. */
  readonly command?: string;
  /**
   * Whether it may show who follows what, of all peers (`/.well-known/rocket/inspector/state`), and what is served. False where some
   * may not know, as where tokens are asked for. Told as {@link PageFacts.name} is. Default true.
   */
  readonly tellsState?: boolean;
}

/**
 * What a browser is shown. `inspector`: the page that shows what is there, live. `line`: one line that says what this is.
 * `none`: what programs get.
 */
export type PageKind = "inspector" | "line" | "none";

/** All of {@link PageKind}. */
export const pageKinds: readonly PageKind[] = ["inspector", "line", "none"];
