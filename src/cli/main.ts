#!/usr/bin/env node
import { explain } from "./failure.ts";
import { main } from "./program.ts";

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(`rocket: ${explain(error)}\n`);
    process.exitCode = 1;
  },
);
