import type { Client } from "../../client/index.ts";

/** Whatever the order is, there are as many rows: to sort them only to count them may take long. */
function withoutOrder(target: string): string {
  return target.replace(/([?&])order=[^&]*&?/, "$1").replace(/[?&]$/, "");
}

/** How many rows a URL has; `undefined` where the server doesn't say, `later` where it can't just now. */
export async function countRows(client: Client, target: string): Promise<number | undefined | "later"> {
  try {
    const headers = { Accept: "application/json", Prefer: "count=exact" };
    const bare = withoutOrder(target);
    const response = await client.fetch(`${bare}${bare.includes("?") ? "&" : "?"}limit=1`, { method: "HEAD", headers });
    if (response.status >= 500) return "later";
    const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
    return total === undefined ? undefined : Number(total);
  } catch {
    return "later";
  }
}
