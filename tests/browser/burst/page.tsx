import { type ReactNode, useCallback } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../../../src/client/index.ts";
import { RocketProvider, useCollection, useRocketStatus } from "../../../src/react/index.ts";

/** Each write gives a row the next number. */
interface Counted {
  readonly id: number;
  readonly number: number;
}

/** What the page looked like in a frame. */
export interface Frame {
  readonly at: number;
  /** The greatest number that is drawn. */
  readonly number: number;
  readonly state: string;
}

declare global {
  /** What was there in each frame. */
  var drawnFrames: Frame[];
}

let newest = 0;

function Row({ row }: { readonly row: Counted }): ReactNode {
  newest = Math.max(newest, row.number);
  return (
    <li data-id={row.id}>
      <b>{`Row ${row.id}`}</b> <span>{row.number}</span> <button type="button">Change</button>
    </li>
  );
}

/** All rows are drawn with each change. */
function Plain(): ReactNode {
  const { rows, keyOf } = useCollection<Counted>("/a");
  return (
    <ol>
      {rows.map((row) => (
        <Row key={keyOf(row)} row={row} />
      ))}
    </ol>
  );
}

/** Each row is a component that looks at the list by itself. */
function Selecting({ at }: { readonly at: number }): ReactNode {
  const select = useCallback((rows: readonly Counted[]) => rows[at], [at]);
  const { selected } = useCollection<Counted, Counted | undefined>("/a", { select });
  return selected ? <Row row={selected} /> : null;
}

const places = Array.from({ length: 1_000 }, (_, at) => at);
const selecting = places.map((at) => <Selecting key={at} at={at} />);

function State(): ReactNode {
  const { state } = useRocketStatus();
  document.body.dataset.status = state;
  return null;
}

globalThis.drawnFrames = [];

function note(): void {
  globalThis.drawnFrames.push({ at: Date.now(), number: newest, state: document.body.dataset.status ?? "" });
  requestAnimationFrame(note);
}
requestAnimationFrame(note);

createRoot(document.querySelector("div") as HTMLElement).render(
  <RocketProvider client={createClient()}>
    <State />
    {location.search === "?select" ? <ol>{selecting}</ol> : <Plain />}
  </RocketProvider>,
);
