import { type Report, type Result, startClientCheck } from "../../src/check/index.ts";

/** A client that follows one URL. */
export interface Following {
  /** What it holds. */
  rows(): Promise<readonly unknown[]> | readonly unknown[];
  stop(): void;
}

/** Where a situation is played. */
export interface Place {
  readonly name: string;
  /** The ways to follow that it is about. */
  readonly ways: readonly string[];
  /** The server as a client would be given it. */
  readonly base: string;
  /** The resource. */
  readonly url: string;
  readonly over: string;
  readonly held: string;
}

/** How much faster than the protocol's the times in tests are. */
export const speed = 5;

/** Clients that run at once: more of them would keep each other from being in time. */
const atOnce = 16;

/** Which situations, and how. */
export interface Choice {
  /** Only those of these names. */
  readonly names?: readonly string[];
  /** Only those that are about this way. */
  readonly way?: string;
  /** Default {@link speed}. */
  readonly speed?: number;
  /** Whether it is posted what clients hold. Default true. */
  readonly tellsHeld?: boolean;
}

/** Puts a client into every situation, some at once, or into those that are chosen; gives what was found wrong. */
export async function checkClient(
  follow: (place: Place) => Following,
  { names, way, speed: factor = speed, tellsHeld = true }: Choice = {},
): Promise<Report> {
  const check = await startClientCheck({ speed: factor, withoutSockets: way !== undefined && way !== "socket" });
  const places = (await (await fetch(check.url)).json()) as Place[];
  const chosen = places.filter(({ name, ways }) => {
    return (names === undefined || names.includes(name)) && (way === undefined || ways.includes(way));
  });
  const waiting = [...chosen];
  const one = async (): Promise<void> => {
    for (let place = waiting.shift(); place; place = waiting.shift()) {
      const client = follow(place);
      await fetch(place.over);
      if (tellsHeld) await fetch(place.held, { method: "POST", body: JSON.stringify(await client.rows()) });
      client.stop();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const report = await check.end();
  const isChosen = ({ title, outcome }: Result) => {
    return outcome.kind !== "skipped" || chosen.some(({ name }) => title.endsWith(`(${name})`));
  };
  return { ...report, results: report.results.filter(isChosen) };
}

/** The requirements that a report finds broken. */
export function brokenIn({ results }: Report): string[] {
  return results.filter(({ outcome }) => outcome.kind === "failed").map(({ requirement }) => requirement);
}
