/**
 * A number that a user gave.
 *
 * @throws RangeError naming the option and the value, where it is not whole or out of range
 */
export function inRange(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RangeError(`${name} must be a whole number from ${low} to ${high}, not ${value}.`);
}

/**
 * A user's handler of errors: what `onError` of each option is. What it throws is dropped.
 *
 * @param context - `stage`: a word for where it went wrong
 */
export type ErrorHandler = (error: unknown, context: { readonly stage: string }) => void;

/**
 * Tells a user's handler of errors. What it throws is dropped: it must not end what it was told about.
 *
 * @param otherwise - told where there is no handler. Default: nobody is
 */
export function errorReporter(
  onError: ErrorHandler | undefined,
  otherwise: (error: unknown, stage: string) => void = () => {},
): (error: unknown, stage: string) => void {
  return (error, stage) => {
    try {
      if (onError) onError(error, { stage });
      else otherwise(error, stage);
    } catch {
      // Said above.
    }
  };
}
