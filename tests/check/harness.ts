import { type Report, startClientCheck } from "../../src/check/index.ts";

/** A client that follows one URL. */
export interface Following {
  /** What it holds. */
  rows(): Promise<readonly unknown[]> | readonly unknown[];
  stop(): void;
}

/** Where a situation is played. */
export interface Place {
  readonly name: string;
  /** The server as a client would be given it. */
  readonly base: string;
  /** The resource. */
  readonly url: string;
  readonly over: string;
  readonly held: string;
}

/** How much faster than the protocol's the times in tests are. */
export const speed = 5;

/** Puts a client into every situation at once, or into those of these names; gives what was found wrong. */
export async function checkClient(follow: (place: Place) => Following, names?: readonly string[]): Promise<Report> {
  const check = await startClientCheck({ speed });
  const places = (await (await fetch(check.url)).json()) as Place[];
  const chosen = places.filter(({ name }) => names === undefined || names.includes(name));
  await Promise.all(
    chosen.map(async (place) => {
      const client = follow(place);
      await fetch(place.over);
      await fetch(place.held, { method: "POST", body: JSON.stringify(await client.rows()) });
      client.stop();
    }),
  );
  return check.end();
}

/** The requirements that a report finds broken. */
export function brokenIn({ results }: Report): string[] {
  return results.filter(({ outcome }) => outcome.kind === "failed").map(({ requirement }) => requirement);
}
