import type { Client } from "../../client/index.ts";

/** How many rows a URL has; `undefined` where the server doesn't say, or can't be asked. */
export async function countRows(client: Client, target: string): Promise<number | undefined> {
  try {
    const headers = { Accept: "application/json", Prefer: "count=exact" };
    const response = await client.fetch(`${target}${target.includes("?") ? "&" : "?"}limit=1`, {
      method: "HEAD",
      headers,
    });
    const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
    return total === undefined ? undefined : Number(total);
  } catch {
    return undefined;
  }
}
