import { afterEach } from "vitest";

const steps: (() => unknown)[] = [];

/** Has something ended after the test, the last one first. */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}

afterEach(async () => {
  for (const step of steps.splice(0).reverse()) await step();
});
