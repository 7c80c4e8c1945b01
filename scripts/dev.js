// Builds on each change of src and starts the sample anew after each build without errors. Ctrl-C ends both.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildPage } from "./build-page.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const patienceMs = 5_000;

class Sample {
  #process;
  #wanted = false;

  /** Starts the sample, or ends the running one, which then starts again. */
  restart() {
    this.#wanted = true;
    if (this.#process === undefined) this.#start();
    else end(this.#process);
  }

  stop() {
    this.#wanted = false;
    if (this.#process) end(this.#process);
  }

  #start() {
    this.#wanted = false;
    this.#process = spawn(process.execPath, ["examples/music/start.js"], {
      cwd: root,
      stdio: "inherit",
      detached: true,
    });
    this.#process.on("exit", (code) => {
      this.#process = undefined;
      if (this.#wanted) this.#start();
      else if (code) console.log(`The sample ended with ${code}; it starts again after the next build.`);
    });
  }
}

/** Asks a process and those that it started to end, and insists after a while. Each is detached: it leads a group. */
function end(child) {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => kill(child, "SIGKILL"), patienceMs);
  child.once("exit", () => clearTimeout(timer));
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

await buildPage();
const sample = new Sample();
const compiler = spawn(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-b", "--watch", "--preserveWatchOutput", "--pretty", "false"],
  { cwd: root, stdio: ["ignore", "pipe", "inherit"], detached: true },
);
compiler.on("exit", () => sample.stop());
createInterface({ input: compiler.stdout }).on("line", (line) => {
  if (line.trim() !== "") console.log(line);
  if (/Found 0 errors/.test(line)) sample.restart();
});

function stop() {
  sample.stop();
  end(compiler);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
// npm does not pass every signal on: where it is gone, this has to end too.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  stop();
}, 500);
watch.unref();
