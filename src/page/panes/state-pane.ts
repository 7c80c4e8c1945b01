import { counted } from "../counted.ts";
import { element, fill } from "../dom.ts";
import { formatBytes } from "../rows/cell-text.ts";

type ChangeKind = "created" | "updated" | "deleted" | "resets";

interface HubState {
  readonly connections: readonly {
    readonly level: number;
    readonly address?: string;
    readonly unsentBytes: number;
    readonly isSlow: boolean;
    readonly subscriptions: readonly { readonly url: string; readonly state: string }[];
  }[];
  readonly views: readonly {
    readonly url: string;
    readonly kind: string;
    readonly followers: number;
    readonly asked?: { readonly gets: number; readonly writes: number };
    readonly items?: string;
    readonly document?: {
      readonly staleAt: readonly string[];
      readonly givenTo: string;
      readonly length: number;
      readonly rows?: { readonly count: number; readonly urls: string; readonly areAllNamed: boolean };
    };
  }[];
  readonly collections: readonly ({ readonly url: string } & Readonly<Record<ChangeKind, number>>)[];
  readonly heldBytes: number;
  readonly maxHeldBytes: number;
  readonly memoryBytes: number;
  readonly uptimeSeconds: number;
}

const lookMs = 1_000;

function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly (string | HTMLElement)[])[],
): HTMLElement {
  return element(
    "table",
    { class: "versions" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))))),
  );
}

/** Who is given a view's document. */
const receivers: Readonly<Record<string, string>> = {
  request: "who asked, alone",
  viewer: "its viewer",
  declared: "all that are declared the same",
};

/** What tells the URLs of a view's rows. */
const namings: Readonly<Record<string, string>> = {
  answer: "as the answer says",
  option: "as the option records says",
  link: "by a link in each",
  key: "by a key in each, which was found there",
  none: "nowhere: rows have no URLs",
};

type ViewState = HubState["views"][number];

/** What was learnt of a view: what makes it stale, whom it is for, what it is, and where its records are. */
function learntOf({ kind, items = "", document }: ViewState): string[] {
  if (!document) return [kind === "direct" ? "what the journal tells" : "", "", "", items];
  const { staleAt, givenTo, length, rows } = document;
  const paths = staleAt.map((path) => (path === "/" ? "any URL" : path)).join(", ");
  const naming = rows ? `${namings[rows.urls]}${rows.areAllNamed ? "" : ", but not all"}` : "";
  return [
    `writes to ${paths}`,
    receivers[givenTo] ?? "",
    `${rows ? counted(rows.count, "row") : "one record"}, ${formatBytes(length)}`,
    [naming, items].filter((part) => part !== "").join(": "),
  ];
}

/** The server names a peer by its address and the ports of the connection, as JSON. */
function hostOf(address = "this machine"): string {
  return /^\["([^"]+)"/.exec(address)?.[1] ?? address;
}

/** Who follows what, and what that takes of the server. */
export class StatePane {
  readonly element: HTMLElement;
  readonly #read: () => Promise<Response>;
  readonly #place: HTMLElement = element("div", { class: "state", tabindex: "0" });
  readonly #onMoved: (url: string) => void;
  readonly #moves: Map<string, number> = new Map();
  #shown = "";
  #isTold = false;

  /**
   * @param read - asks the server
   * @param onMoved - told of a collection in which records have come or gone
   */
  constructor(read: () => Promise<Response>, onMoved: (url: string) => void) {
    this.#read = read;
    this.#onMoved = onMoved;
    this.element = element(
      "section",
      { class: "rows", "aria-label": "Who follows what", hidden: true },
      element("div", { class: "bar" }, element("h2", {}, "Who follows what")),
      this.#place,
    );
    setInterval(() => {
      if (this.#isTold && document.visibilityState === "visible") void this.look();
    }, lookMs);
  }

  /** Begins to ask again and again. */
  begin(): void {
    this.#isTold = true;
  }

  /** Asks how things are, and shows it. */
  async look(): Promise<void> {
    try {
      const response = await this.#read();
      const text = await response.text();
      if (text === this.#shown) return;
      this.#shown = text;
      if (response.ok) this.#take(JSON.parse(text) as HubState);
      else fill(this.#place, (JSON.parse(text) as { readonly detail: string }).detail);
    } catch {
      // It is asked again.
    }
  }

  #take(state: HubState): void {
    for (const { url, created, deleted, resets } of state.collections) {
      const moves = created + deleted + resets;
      if (this.#moves.get(url) !== moves) this.#onMoved(url);
      this.#moves.set(url, moves);
    }
    if (!this.element.hidden) this.#show(state);
  }

  #show({ connections, views, collections, heldBytes, maxHeldBytes, memoryBytes, uptimeSeconds }: HubState): void {
    const all = [
      counted(connections.length, "connection"),
      counted(views.length, "view"),
      `${formatBytes(memoryBytes)} of memory`,
      `${formatBytes(heldBytes)} held for peers, of ${formatBytes(maxHeldBytes)}`,
      `up for ${uptimeSeconds} s`,
    ];
    const peers = connections.map(({ level, address, unsentBytes, isSlow, subscriptions }) => [
      hostOf(address),
      String(level),
      isSlow ? "reads slowly" : "keeps up",
      formatBytes(unsentBytes),
      subscriptions.map(({ url, state }) => (state === "live" ? url : `${url} (${state})`)).join(", "),
    ]);
    const followed = views.map((view) => [
      view.url,
      view.kind === "direct" ? "direct: the journal decides" : "derived: asked for again",
      String(view.followers),
      view.asked ? `${view.asked.gets} GETs for ${counted(view.asked.writes, "write")}` : "none",
      ...learntOf(view),
    ]);
    const written = collections.map(({ url, created, updated, deleted }) => [
      url,
      ...[created, updated, deleted].map(String),
    ]);
    fill(
      this.#place,
      element("p", {}, all.join(" · ")),
      table("Connections", ["Peer", "Level", "Reading", "Unsent", "Follows"], peers),
      table(
        "Views",
        ["URL", "How", "Followers", "GETs", "Made stale by", "Given to", "What it is", "Where its records are"],
        followed,
      ),
      table("Changes since it started", ["Collection", "Created", "Updated", "Deleted"], written),
    );
  }
}
