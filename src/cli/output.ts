/** Where a command prints. */
export interface Output {
  /** What was asked for, as it is. */
  write(data: string | Uint8Array): void;
  /** A line about how things go. */
  note(line: string): void;
  /** True where a person looks at what is written: bodies are laid out, control characters shown. */
  readonly isTerminal: boolean;
  /** True where what is written may have colours. */
  readonly isColoured: boolean;
  /** True where notes may have colours. */
  readonly hasColouredNotes: boolean;
}

function isColoured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}

/** The process' standard output, and notes on standard error. */
export const processOutput: Output = {
  write: (data) => void process.stdout.write(data),
  note: (line) => void process.stderr.write(`${line}\n`),
  isTerminal: process.stdout.isTTY === true,
  isColoured: isColoured(process.stdout),
  hasColouredNotes: isColoured(process.stderr),
};

/** Calls `callback` when nobody reads the standard output any more: `rocket tail … | head`. */
export function onOutputClosed(callback: () => void): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    callback();
  });
}
