#!/usr/bin/env node
import { explain } from "./failure.ts";
import { onOutputClosed } from "./output.ts";
import { main } from "./program.ts";

/** What is left open when a command is over (a socket, a child's pipe) gets this long; then the process ends all the same. */
const lingerMs = 5_000;

// What a command waits for may be no more than a timer that keeps no process alive: it is not over before it says so.
const hold = setInterval(() => {}, 2 ** 30);

// `rocket serve --help | head`: what nobody reads is no failure.
onOutputClosed(() => {});

main(process.argv.slice(2))
  .catch((error: unknown) => {
    process.stderr.write(`rocket: ${explain(error)}\n`);
    return 1;
  })
  .then((exitCode) => {
    clearInterval(hold);
    process.exitCode = exitCode;
    setTimeout(() => process.exit(), lingerMs).unref();
  });
