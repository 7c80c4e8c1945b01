import { element, fill } from "../dom.ts";
import { formatBytes } from "../rows/cell-text.ts";
import { counted } from "./top-bar.ts";

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
  }[];
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

/** The server names a peer by its address and the ports of the connection, as JSON. */
function hostOf(address = "this machine"): string {
  return /^\["([^"]+)"/.exec(address)?.[1] ?? address;
}

/** Who follows what, and what that takes of the server. */
export class StatePane {
  readonly element: HTMLElement;
  readonly #read: () => Promise<Response>;
  readonly #place: HTMLElement = element("div", { class: "state" });
  #shown = "";

  /** @param read - asks the server */
  constructor(read: () => Promise<Response>) {
    this.#read = read;
    this.element = element(
      "section",
      { class: "rows", "aria-label": "Who follows what", hidden: true },
      element("div", { class: "bar" }, element("h2", {}, "Who follows what")),
      this.#place,
    );
    setInterval(() => {
      if (!this.element.hidden && document.visibilityState === "visible") void this.look();
    }, lookMs);
  }

  /** Asks how things are, and shows it. */
  async look(): Promise<void> {
    try {
      const response = await this.#read();
      const text = await response.text();
      if (text === this.#shown) return;
      this.#shown = text;
      if (response.ok) this.#show(JSON.parse(text) as HubState);
      else fill(this.#place, (JSON.parse(text) as { readonly detail: string }).detail);
    } catch {
      // It is asked again.
    }
  }

  #show({ connections, views, heldBytes, maxHeldBytes, memoryBytes, uptimeSeconds }: HubState): void {
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
    const followed = views.map(({ url, kind, followers, asked, items }) => [
      url,
      kind === "direct" ? "direct: the journal decides" : "derived: asked for again",
      String(followers),
      asked ? `${asked.gets} GETs for ${counted(asked.writes, "write")}` : "none",
      items ?? "",
    ]);
    fill(
      this.#place,
      element("p", {}, all.join(" · ")),
      table("Connections", ["Peer", "Level", "Reading", "Unsent", "Follows"], peers),
      table("Views", ["URL", "How", "Followers", "GETs", "Where its records are"], followed),
    );
  }
}
