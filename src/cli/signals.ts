const signals = ["SIGINT", "SIGTERM"] as const;
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Calls `callback` at the first SIGINT or SIGTERM. A second one ends the process at once, with 128 + its number.
 *
 * @returns a function that ends it
 */
export function onStopSignal(callback: () => void): () => void {
  let isStopping = false;
  const handle = (signal: keyof typeof signalNumbers): void => {
    if (isStopping) process.exit(128 + signalNumbers[signal]);
    isStopping = true;
    callback();
  };
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
